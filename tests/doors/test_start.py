"""A pretraining that goes on from given weights, and what it refuses."""

import ml_collections
import pytest
from sentencepiece import sentencepiece_model_pb2

from icl_gen import assets, pretrain
from icl_gen.runs import pretrainings
from icl_gen.storage import checksums


def still(config, start, run):
  """The config, from given weights, with updates that change nothing."""
  changed = ml_collections.ConfigDict(config.to_dict())
  changed.update(start=start, run=run)
  changed.optimizer.warmup_steps = 0
  for stage in changed.stages.values():
    stage.update(learning_rate=(0.0, 0.0), steps=1)
  return ml_collections.FrozenConfigDict(changed)


@pytest.mark.slow  # two compilations
def test_without_updates_the_weights_and_the_tokenizer_are_those_it_starts_from(
  pretraining, compile_once, same_weights, tmp_path
):
  pretrain.run(still(pretraining, '', 'one'), tmp_path)
  one, two = (tmp_path / 'pretrain' / name for name in ('one', 'two'))
  given = tmp_path / 'given'  # its tokenizer beside the weights
  (one / 'params').rename(given)
  (one / 'tokenizer.model').rename(given / 'tokenizer.model')
  other = given / 'tokenizer.model'
  model = sentencepiece_model_pb2.ModelProto.FromString(other.read_bytes())
  model.pieces[-1].score -= 1.0
  other.write_bytes(model.SerializeToString())

  changed = still(pretraining, str(given), 'two')
  pretrain.run(changed, tmp_path)
  assert same_weights(two / 'params', given)
  assert (two / 'tokenizer.model').read_bytes() == other.read_bytes()

  pretrain.run(changed, tmp_path)  # which is complete
  other.write_bytes(other.read_bytes() + model.pieces[-1].SerializeToString())
  with pytest.raises(ValueError, match='start_is'):
    pretrain.run(changed, tmp_path)


def test_a_start_from_embedded_weights_does_not_record_where_they_are(
  pretraining, tmp_path
):
  recipe = still(pretraining, 'nano', 'one').to_dict()
  assert pretrainings.started_from(recipe) == assets.path('nano')
  start = pretrainings.stage(recipe, tmp_path).settings['start_is']
  assert start['checkpoint'] == ''
  assert start['checkpoint_is'] == checksums.fingerprint(assets.path('nano'))


def test_other_weights_to_start_from_are_noticed(pretraining, tmp_path):
  config = still(pretraining, str(tmp_path / 'none'), 'one')
  with pytest.raises(ValueError, match=r'--config\.start=.*no such directory'):
    pretrain.run(config, tmp_path)
  assert not (tmp_path / 'pretrain').exists()


def test_a_share_that_is_none_is_refused(pretraining, tmp_path):
  changed = ml_collections.ConfigDict(pretraining.to_dict())
  changed.drawn = 1.5
  with pytest.raises(ValueError, match=r'--config\.drawn=1\.5; give 0 to 1'):
    pretrain.run(ml_collections.FrozenConfigDict(changed), tmp_path)
  assert not any(tmp_path.iterdir())
