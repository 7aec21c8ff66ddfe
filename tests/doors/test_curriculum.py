"""A pretraining that advances by what it measures, interrupted and resumed."""

import ml_collections
import pytest

from configs import nano2
from icl_gen import pretrain
from icl_gen.storage import files
from icl_gen.training import teaching


class Interrupted(Exception):
  """Stands for a killed process."""


@pytest.fixture
def config():
  return ml_collections.FrozenConfigDict(nano2.get_config('tiny'))


def skills(directory):
  lines = files.read_json_lines(directory / 'metrics.jsonl')
  return [line for line in lines if 'skills' in line]


@pytest.mark.slow
def test_a_resumed_curriculum_gives_the_same_weights(
  config, compile_once, same_weights, monkeypatch, tmp_path
):
  whole = tmp_path / 'whole'
  pretrain.run(config, whole)
  measured = skills(whole / 'pretrain/nano2')
  assert [(line['step'], line['lesson']) for line in measured] == [
    (2, '01_reverse'),
    (4, '01_reverse'),
    (6, '02_stated'),
    (8, '02_stated'),
  ]
  evaluate, calls = teaching.Teacher.evaluate, []

  def counted(teacher, number, state):
    calls.append(number)
    if len(calls) in (2, 5):
      raise Interrupted
    return evaluate(teacher, number, state)

  parts = tmp_path / 'parts'
  monkeypatch.setattr(teaching.Teacher, 'evaluate', counted)
  for _ in range(2):
    with pytest.raises(Interrupted):
      pretrain.run(config, parts)
  pretrain.run(config, parts)
  assert calls == [2, 4, 4, 6, 8, 8]
  assert skills(parts / 'pretrain/nano2') == measured
  assert same_weights(
    *(path / 'pretrain/nano2/params' for path in (whole, parts))
  )
