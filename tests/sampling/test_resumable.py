"""Sampling interrupted at any batch resumes to the same completions."""

import types

import pytest

from icl_gen.sampling import resumable, sampler
from icl_gen.storage import files
from icl_gen.text import context as contexts
from icl_gen.types import Document
from tests import interrupts, tiny
from tests.together import acting_as

REQUESTS = [
  sampler.Request(f'name {number}', prompt)
  for number, prompt in enumerate(
    ('The femp is', 'All glon are', 'No', 'Yes. The troff is', 'Some femp')
  )
]
CONTEXT = contexts.build([Document('a', 'The glon is blue.')], seed='context')
BATCHES = 3


def sample(kept, *, context=CONTEXT, requests=REQUESTS, of='model'):
  return resumable.sample(
    tiny.model(),
    requests,
    context,
    kept=kept,
    of=of,
    seed='seed',
    temperature=1.0,
    max_tokens=4,
    rows_per_batch=2,
  )


@pytest.fixture
def interrupted(tmp_path):
  """Makes the file of a run that was interrupted after some batches."""

  def make(batches):
    kept = tmp_path / 'kept'
    with interrupts.interrupted(files, 'append_json_line', after=batches):
      sample(kept)
    return kept

  return make


@pytest.mark.parametrize('batches', range(BATCHES))
def test_resuming_gives_the_same_completions(
  interrupted, batches, tmp_path, capsys
):
  kept = interrupted(batches)
  capsys.readouterr()
  completions, cost = sample(kept)
  told = [f'sampled {done}/5' for done in (2, 4, 5)]
  assert capsys.readouterr().out.splitlines() == told[batches:]
  whole, cost_of_whole = sample(tmp_path / 'whole')
  assert completions == whole
  assert [c.name for c in completions] == [r.name for r in REQUESTS]
  assert cost | {'seconds': 0} == cost_of_whole | {'seconds': 0}


def test_a_finished_file_is_not_sampled_again(tmp_path, capsys):
  found = sample(tmp_path / 'kept')
  capsys.readouterr()
  assert sample(tmp_path / 'kept') == found
  assert capsys.readouterr().out == ''


def test_seconds_include_interrupted_runs(interrupted):
  kept = interrupted(1)
  (part,) = files.read_sealed_lines(kept)
  kept.unlink()
  files.append_json_line(kept, files.sealed(part | {'seconds': 1000.0}))
  _, cost = sample(kept)
  assert cost['seconds'] > 1000


def change(line):
  """Adds a letter to a completion."""
  changed = line.replace('"text": "', '"text": "!', 1)
  assert changed != line
  return changed


# What is left of three lines, and how many of the batches are gone.
DAMAGE = {
  'doubled': (lambda a, b, c: [a, a, b, c], 0),
  'two runs at once': (lambda a, b, c: [a, a, b, b, c, c], 0),
  'swapped': (lambda a, b, c: [c, a, b], 0),
  'dropped': (lambda a, b, c: [a, c], 1),
  'changed': (lambda a, b, c: [a, change(b), c], 1),
  'empty': (lambda a, b, c: [a, '{}', c], 1),
  'torn': (lambda a, b, c: [a, b[:-5], c], 1),
}


@pytest.mark.parametrize(
  ('damaged', 'gone'), DAMAGE.values(), ids=DAMAGE.keys()
)
def test_no_completion_is_attached_to_another_prompt(
  tmp_path, damaged, gone, capsys
):
  kept = tmp_path / 'kept'
  found, cost = sample(kept)
  lines = damaged(*kept.read_text().splitlines())
  kept.write_text('\n'.join(lines) + '\n')
  capsys.readouterr()
  again, cost_again = sample(kept)
  assert again == found
  assert capsys.readouterr().out.count('sampled') == gone
  assert cost_again | {'seconds': 0} == cost | {'seconds': 0}
  if not gone:
    assert cost_again == cost
  # What was sampled again was kept.
  assert sample(kept) == (again, cost_again)


@pytest.mark.parametrize(
  'other',
  [
    {'of': 'another model'},
    {'context': contexts.NONE},
    {'requests': [sampler.Request(r.name, f'{r.prompt}!') for r in REQUESTS]},
  ],
)
def test_batches_of_something_else_are_sampled_again(tmp_path, other, capsys):
  sample(tmp_path / 'kept')
  capsys.readouterr()
  found, _ = sample(tmp_path / 'kept', **other)
  assert capsys.readouterr().out.count('sampled') == BATCHES
  assert found == sample(tmp_path / 'whole', **other)[0]


def test_cost_counts_a_context_once(tmp_path):
  _, preceding = sample(tmp_path / 'preceding')
  _, alone = sample(tmp_path / 'alone', context=contexts.NONE)
  assert preceding['context_tokens'] > alone['context_tokens'] == 0
  assert preceding['tokens_in'] < alone['tokens_in'] + len(REQUESTS) * 2
  assert preceding['requests'] == alone['requests'] == len(REQUESTS)


@pytest.mark.parametrize(('shared', 'own'), [(True, '024'), (False, '04')])
def test_processes_that_share_a_model_sample_every_batch_together(
  monkeypatch, shared, own
):
  """The other one of two processes says nothing here."""

  def answer(model, requests, *given, **settings):
    for start in range(0, len(requests), 2):
      yield [
        sampler.Completion(one.name, '', 1, 1, True)
        for one in requests[start : start + 2]
      ]

  monkeypatch.setattr(sampler, 'sample', answer)
  mesh = types.SimpleNamespace(is_multi_process=shared)
  batches = [(str(first), REQUESTS[first : first + 2]) for first in (0, 2, 4)]
  with acting_as(0):
    parts = list(
      resumable._sampled(
        types.SimpleNamespace(mesh=mesh), batches, None, {}, start=0.0
      )
    )
  assert [part['asked'] for part in parts] == list(own)
  for part in parts:
    names = [one['name'] for one in part['completions']]
    assert names == [one.name for one in dict(batches)[part['asked']]]
