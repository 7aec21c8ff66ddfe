"""Sampling interrupted at any batch resumes to the same completions."""

import json

import pytest

from icl_gen.sampling import resumable, sampler
from icl_gen.storage import files
from icl_gen.text import context as contexts
from icl_gen.types import Document
from tests import interrupts, tiny

REQUESTS = [
  sampler.Request(f'name {number}', prompt)
  for number, prompt in enumerate(
    ('The femp is', 'All glon are', 'No', 'Yes. The troff is', 'Some femp')
  )
]
CONTEXT = contexts.build([Document('a', 'The glon is blue.')], seed='context')
BATCHES = 3


def sample(kept, *, context=CONTEXT):
  return resumable.sample(
    tiny.model(),
    REQUESTS,
    context,
    kept=kept,
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
  line = json.loads(kept.read_text())
  kept.write_text(json.dumps(line | {'seconds': 1000.0}) + '\n')
  _, cost = sample(kept)
  assert cost['seconds'] > 1000


def test_cost_counts_a_context_once(tmp_path):
  _, preceding = sample(tmp_path / 'preceding')
  _, alone = sample(tmp_path / 'alone', context=contexts.NONE)
  assert preceding['context_tokens'] > alone['context_tokens'] == 0
  assert preceding['tokens_in'] < alone['tokens_in'] + len(REQUESTS) * 2
  assert preceding['requests'] == alone['requests'] == len(REQUESTS)
