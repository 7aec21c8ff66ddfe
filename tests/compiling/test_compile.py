"""The door `compile` tells what a stage's programs take, on eight devices."""

import json

import ml_collections
import pytest

from configs import reversal
from icl_gen import compile as door


@pytest.fixture
def told(tmp_path, capsys):
  """Compiles a stage; returns what is printed, and the facts."""

  def compile_stage(stage, **flags):
    config = reversal.get_config('tiny')
    config.update_from_flattened_dict(flags)
    path = tmp_path / 'facts.json'
    door.run(
      ml_collections.FrozenConfigDict(config),
      tmp_path,
      stage=stage,
      topology='cpu:8',
      json=str(path),
    )
    return capsys.readouterr().out, json.loads(path.read_text())

  return compile_stage


def test_a_step_whose_weights_are_split_takes_an_eighth_and_gathers(told):
  split_text, split = told('train', **{'train.fsdp': 0})
  _, whole = told('train')
  one, all_of_it = split['programs']['step'], whole['programs']['step']
  assert one['mesh'] == {'data': 1, 'fsdp': 8, 'model': 1}
  assert all_of_it['mesh'] == {'data': 8, 'fsdp': 1, 'model': 1}
  assert all_of_it['weight_bytes'] == 4 * split['parameters']
  for part in ('weight', 'optimizer', 'gradient', 'argument'):
    share = one[f'{part}_bytes'] / all_of_it[f'{part}_bytes']
    assert 1 / 8 <= share < 0.14, part
  assert one['collectives']['all-gather']['count'] > 0
  assert 'all-gather' not in all_of_it['collectives']
  assert 'mesh of 1 (data) x 8 (fsdp) x 1 (model)' in split_text
  assert 'this compiler estimates no cycles' in split_text
  table = one['placements'][0]
  assert table['parameter'] == 'embedder/input_embedding'
  assert table['on a device'] == [2304 // 8, 128]


@pytest.mark.slow
@pytest.mark.parametrize('stage', ['evaluate', 'augment'])
def test_a_context_is_compiled_before_what_follows_it(told, stage):
  text, facts = told(stage, **{'context.budget': 600})
  after = {'evaluate': 'pass', 'augment': 'batch'}[stage]
  assert set(facts['programs']) == {'context', after}
  assert f'{stage} on 8 devices of cpu:8' in text
  _, alone = told(stage)
  assert list(alone['programs']) == [after]
