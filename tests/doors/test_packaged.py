"""A tiny Gemma 4 goes through all doors of an experiment."""

import jax
import pytest

from icl_gen import augment, build, evaluate, train
from icl_gen.model import checkpoints, registry
from icl_gen.runs import directories, found
from icl_gen.storage import corpus_files
from tests import packaged, tiny

MODEL = 'gemma4_e2b'


@pytest.mark.slow
def test_it_is_trained_scored_and_sampled_from(
  tmp_path, monkeypatch, experiment
):
  module = packaged.module(MODEL)
  monkeypatch.setattr(registry, 'make_module', lambda name, **dtype: module)
  tokenizer, weights = tmp_path / 'tokenizer.model', tmp_path / 'weights'
  tokenizer.write_bytes(tiny.tokenizer_bytes())
  checkpoints.save_params(weights, packaged.params(MODEL))

  def config(**changed):
    return experiment(
      model=MODEL,
      checkpoint=str(weights),
      tokenizer=str(tokenizer),
      **changed,
    )

  with jax.numpy_rank_promotion('allow'):  # in the package
    build.run(config(), tmp_path)
    augment.run(config(), tmp_path)
    train.run(config(condition='ft'), tmp_path)
    generate = {'generate': True}
    evaluate.run(config(condition='icl', scoring=generate), tmp_path)
    evaluate.run(config(condition='ft', scoring=generate), tmp_path)

  augmented = directories.augmented(
    tmp_path, world='reversal', seed=0, model=MODEL
  )
  made = corpus_files.read_manifest(augmented)['corpus']
  assert made['lines'] > 0
  before, after = (
    found.cell(
      tmp_path / f'runs/reversal-{condition}-{MODEL}-s0/scores.parquet'
    )
    for condition in ('icl', 'ft')
  )
  assert len(before.scores) == len(after.scores) > 0
  assert all(score.written is not None for score in after.scores)
  assert [one.choices for one in before.scores] != [
    one.choices for one in after.scores
  ]
