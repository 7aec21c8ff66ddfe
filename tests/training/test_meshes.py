"""A run interrupted on one mesh of devices resumes on another."""

import functools
import shutil

import jax
import numpy as np
import optax
import pytest

from icl_gen.model import sharding
from icl_gen.runs.experiments import Training
from icl_gen.training import batches, fine_tuning, loop, states
from tests import tiny

ROWS, LENGTH, STEPS, INTERRUPTED = 8, 16, 4, 2

# Name -> (devices, fsdp, model).
MESHES = {
  'data=8': (8, 1, 1),
  'fsdp=4, model=2': (8, 4, 2),
  'one device': (1, 1, 1),
}


def settings(name):
  _, fsdp, model = MESHES[name]
  return Training(
    steps=STEPS,
    warmup_steps=1,
    learning_rate=0.01,
    batch_size=ROWS,
    length=LENGTH,
    fsdp=fsdp,
    model=model,
  )


@functools.cache
def program(name):
  """The plan and the step of a mesh, compiled once."""
  devices, *_ = MESHES[name]
  train = settings(name)
  plan = fine_tuning.make_plan(train, jax.devices()[:devices])
  return plan, fine_tuning.start(
    tiny.module('gemma3'), tiny.params('gemma3'), train, plan, seed=0
  ).step


def fresh(name):
  """The state before the first step."""
  plan, _ = program(name)
  return fine_tuning.make_state(
    tiny.module('gemma3'),
    tiny.params('gemma3'),
    fine_tuning.make_optimizer(settings(name)),
    plan.mesh,
  )


def rows():
  examples = [
    batches.Example(
      tiny.ids(4 + i % 10, seed=i), np.ones(4 + i % 10, np.float32)
    )
    for i in range(20)
  ]
  return batches.batches(
    examples, batch_size=ROWS, length=LENGTH, seed=0, steps=STEPS
  )


def train(name, directory, *, until=STEPS):
  """Trains as the door does; returns the state and the losses by step."""
  plan, step = program(name)
  state, position = fresh(name), rows()
  saved = states.Checkpoints(directory)
  if saved.latest() is not None:
    like = jax.tree.map(lambda leaf: leaf.sharding, state)
    state, found = saved.restore(state)
    assert jax.tree.map(lambda leaf: leaf.sharding, state) == like
    position.restore(found)
  losses = {}
  state = loop.loop(
    state,
    position,
    step,
    place=lambda batch: sharding.split_rows(plan.mesh, batch),
    first_step=int(state.step),
    steps=until,
    report_every=1,
    save_every=STEPS,
    on_report=lambda number, values: losses.update({number: values['loss']}),
    on_save=lambda number, state: saved.save(number, state, position.state()),
  )
  saved.close()
  return state, losses


# Not fixtures of the module: those come before `quick_compiles`, and what is
# compiled in another way rounds in another way.
@functools.cache
def interrupted(folder):
  """The directory of a run that has a state of two steps, and its losses."""
  directory = folder / 'interrupted'
  return directory, train('data=8', directory, until=INTERRUPTED)[1]


@functools.cache
def uninterrupted(folder):
  return train('data=8', folder / 'whole')


@pytest.fixture
def folder(tmp_path_factory):
  """The same one for all tests."""
  return tmp_path_factory.getbasetemp() / 'meshes'


@pytest.mark.slow
@pytest.mark.parametrize('name', ['data=8', 'fsdp=4, model=2', 'one device'])
def test_a_run_resumes_on_another_mesh(folder, tmp_path, name):
  wanted, losses = uninterrupted(folder)
  directory, before = interrupted(folder)
  shutil.copytree(directory, tmp_path / 'resumed')
  found, after = train(name, tmp_path / 'resumed')
  assert min(after) == INTERRUPTED + 1
  assert sorted(before | after) == sorted(losses)
  if name == 'data=8':
    assert before | after == losses
    for one, other in zip(
      jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True
    ):
      np.testing.assert_array_equal(one, other)
    return
  for number in after:
    assert after[number] == pytest.approx(losses[number], rel=1e-5)
  for one, other, mean in zip(
    jax.tree.leaves(found.params),
    jax.tree.leaves(wanted.params),
    jax.tree.leaves(optax.tree.get(wanted.opt_state, 'mu')),
    strict=True,
  ):
    # Adam divides by the size of the gradient: rounding decides the step where
    # it is about as small as that.
    decided = np.abs(mean) > 1e-6
    assert decided.mean() > 0.5
    np.testing.assert_allclose(
      np.asarray(one)[decided], np.asarray(other)[decided], atol=5e-5
    )


def test_a_step_is_compiled_once(folder):
  """Where a state comes from, and goes to, does not make another program."""
  uninterrupted(folder)
  _, step = program('data=8')
  assert step._cache_size() == 1
