"""Training states of processes that share no disk are the first one's.

Here, that is this process; tests/doors/test_processes_in_bucket.py has two.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from icl_gen.model import checkpoints, digests, first_host, sharding
from icl_gen.storage import working_copies
from icl_gen.training import apart, states
from tests.gcs import server, url  # noqa: F401
from tests.saved import assert_equal, params
from tests.together import acting_as


def split(seed=0):
  """A tree on several devices, with values that a sum would change."""
  mesh = Mesh(jax.devices()[:2], ('fsdp',))
  rows = NamedSharding(mesh, PartitionSpec('fsdp'))
  odd = np.float32([-0.0, np.nan, np.inf, 1e-42])
  return {
    'step': sharding.replicate(mesh, jnp.int32(seed)),
    'odd': jax.device_put(odd, rows),
    'half': jax.device_put(jnp.bfloat16([[-0.0, 1], [2, 3]]), rows),
    'params': sharding.replicate(mesh, params(seed)),
  }


def assert_alike(found, wanted):
  """To the bit, and on the same devices."""
  assert digests.of_tree(found) == digests.of_tree(wanted)
  for one, other in zip(
    jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True
  ):
    assert one.sharding.is_equivalent_to(other.sharding, other.ndim)


def test_what_is_gathered_and_spread_is_the_same():
  tree = split()
  whole = first_host.gathered(tree)
  assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(whole))
  assert_alike(first_host.spread(whole, states.shapes(tree)), tree)
  with acting_as(1):
    assert jax.tree.leaves(first_host.gathered(tree)) == []


@pytest.mark.parametrize('most', [3, 2**28])
def test_what_the_first_one_sends_the_others_receive(monkeypatch, most):
  monkeypatch.setattr(first_host, '_SENT', most)
  tree, sent = split(), []

  def send(part, *, is_source):
    assert is_source
    sent.append(part.copy())
    return part

  def receive(part, *, is_source):
    assert not is_source
    assert part.shape == sent[0].shape
    return sent.pop(0)

  name = 'broadcast_one_to_all'
  monkeypatch.setattr(first_host.multihost_utils, name, send)
  first_host.spread(first_host.gathered(tree), tree)
  # They are added to zeros, which changes some numbers, but no bytes.
  assert {part.dtype for part in sent} == {np.dtype('uint8')}
  assert max(part.size for part in sent) <= most
  monkeypatch.setattr(first_host.multihost_utils, name, receive)
  with acting_as(1):
    found = first_host.spread(None, states.shapes(tree))
  assert_alike(found, tree)
  assert sent == []


def test_a_state_is_read_back_from_the_bucket(url):  # noqa: F811
  with acting_as(0):
    with working_copies.opened(url) as root:
      made = root / 'study/runs/one/checkpoints'
      saved = apart.opened(made)
      assert saved.latest() is None
      for step in (3, 5, 8):
        saved.save(step, split(step), {'step': step})
      saved.wait()
      working_copies.of(root).push(sorted(made.iterdir()))
      assert_alike(saved.restore_at(5, states.shapes(split())), split(5))
      saved.close()
    with working_copies.opened(url) as root:
      made = root / 'study/runs/one/checkpoints'
      for path in made.iterdir():
        working_copies.fetch(path)
      again = apart.opened(made)
      assert again.latest() == 8
      found, position = again.restore(split())
      assert position == {'step': 8}
      assert_alike(found, split(8))
      again.close()


def test_once_a_state_is_waited_for_it_is_in_the_bucket(server, url):  # noqa: F811
  with acting_as(0), working_copies.opened(url) as root:
    made = root / 'study/runs/one/checkpoints'
    marker = f'{url.removeprefix("gs://bucket/")}/study/runs/one/checkpoints/3'
    saved = apart.opened(made)
    with working_copies.guarded(
      made.parent / '.train.lock',
      what='x',
      contents=lambda: [p for p in made.iterdir() if p.name.isdigit()],
      needed=list,
    ):
      saved.save(3, split(), {})
      saved.wait()
      assert f'{marker}.complete.json' in server.objects
    saved.close()


def test_weights_are_written_whole(url):  # noqa: F811
  with acting_as(0), working_copies.opened(url) as root:
    path, wanted = root / 'study/runs/one/params', params(1)
    checkpoints.save_params(path, wanted)
    assert checkpoints.damage(path) == ''
    assert_equal(checkpoints.load_params(path, params()), wanted)


def test_on_a_disk_that_all_share_they_are_as_always(tmp_path):
  with acting_as(0):
    assert isinstance(apart.opened(tmp_path), states.Checkpoints)
