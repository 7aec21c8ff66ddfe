"""Built and exported corpora: every format, once, whatever the config says."""

import inspect
import json
import shutil

import ml_collections
import pytest

from icl_gen import assets, build, export
from icl_gen.exports import data_card
from icl_gen.runs import development, experiments
from icl_gen.storage import checksums, corpus_files
from icl_gen.worlds import catalog
from tests.doors.conftest import configs
from tests.doors.test_pulse import everything
from tests.exports.test_jsonl_and_parquet import read_jsonl, read_parquet


def frozen(name, arg='', **changes):
  config = configs(name).get_config(arg)
  for key, value in changes.items():
    block, _, name = key.rpartition('__')
    (config[block] if block else config)[name] = value
  return ml_collections.FrozenConfigDict(config)


@pytest.fixture(scope='module')
def built(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('worlds')
  build.run(frozen('worlds', 'nano'), workdir)
  return workdir


def test_all_worlds_are_built_in_every_format(built):
  worlds = [*catalog.SIZES, 'custom']
  corpora = built / 'corpora'
  found = [p.name for p in corpora.iterdir() if corpus_files.is_written(p)]
  assert sorted(found) == sorted(worlds)
  for world in worlds:
    corpus = corpus_files.read(corpora / world)
    said = corpus.documents, corpus.questions
    assert read_jsonl(corpora / world) == said
    assert read_parquet(corpora / world) == said
    assert corpus.manifest['audit']['complaints'] == []
    text = (corpora / world / data_card.FILE_NAME).read_text('utf-8')
    assert catalog.describe(world) in text
    assert 'No complaints.' in text
    if world != 'custom':
      _, drawn = catalog.build(world, seed=0, **catalog.SIZES[world]['nano'])
      assert said == (drawn.documents, drawn.questions)


def test_a_second_build_changes_nothing(built, capsys):
  before = everything(built)
  build.run(frozen('worlds', 'nano'), built)
  assert everything(built) == before
  lines = capsys.readouterr().out.splitlines()
  done = 'nothing to do, complete already: '
  assert lines and all(line.startswith(done) for line in lines)


@pytest.mark.parametrize('world', sorted(catalog.SIZES))
def test_the_worlds_own_config_has_the_papers_size(world):
  module = configs(world)
  variant = 'paper' if 'paper' in module.VARIANTS else ''
  size = module.get_config(variant).size.to_dict()
  paper = catalog.SIZES[world]['paper']
  defaults = {
    name: parameter.default
    for name, parameter in inspect.signature(
      catalog.WORLDS[world].build
    ).parameters.items()
    if name != 'seed'
  }
  assert defaults | size == defaults | paper


def test_the_format_and_the_audit_are_settings(tmp_path):
  build.run(frozen('reversal', 'tiny', file_format='tfrecord'), tmp_path)
  directory = tmp_path / 'corpora' / 'reversal-s0'
  manifest = corpus_files.read_manifest(directory)
  assert manifest['file_format'] == 'tfrecord'
  assert 'audit' not in manifest['corpus']
  assert 'as_dataset' in (directory / data_card.FILE_NAME).read_text('utf-8')
  for changes, message in (
    ({}, "created with file_format='tfrecord', now it is 'array_record'"),
    ({'file_format': 'tfrecord', 'audit': True}, 'audit=False, now it is True'),
  ):
    with pytest.raises(ValueError, match=message):
      build.run(frozen('reversal', 'tiny', **changes), tmp_path)
  with pytest.raises(ValueError, match="file_format 'csv' is unknown"):
    build.run(frozen('reversal', 'tiny', file_format='csv'), tmp_path / 'new')
  assert not (tmp_path / 'new').exists()


def test_documents_that_changed_are_not_taken_for_those_built(tmp_path):
  mine = tmp_path / 'mine'
  mine.mkdir()
  (mine / 'a.txt').write_text('Glon are red.')
  config = frozen('custom', size__path=str(mine))
  build.run(config, tmp_path / 'out')
  build.run(config, tmp_path / 'out')
  (mine / 'a.txt').write_text('Glon are blue.')
  with pytest.raises(ValueError, match='created with files.a.txt='):
    build.run(config, tmp_path / 'out')


def test_complaints_are_printed_and_kept(tmp_path, capsys):
  mine = tmp_path / 'mine'
  mine.mkdir()
  (mine / 'documents.jsonl').write_text('{"id": "a", "text": "Glon are red."}')
  row = {'prompt': 'Glon are', 'choices': ['red.', 'b'], 'answer': 0}
  (mine / 'questions.jsonl').write_text(json.dumps(row | {'kind': 'k'}))
  build.run(frozen('custom', size__path=str(mine), audit=True), tmp_path)
  assert "a document holds it with ' red.'" in capsys.readouterr().out
  corpus = corpus_files.read(tmp_path / 'corpora' / 'custom-s0')
  (complaint,) = corpus.manifest['audit']['complaints']
  text = (tmp_path / 'corpora' / 'custom-s0' / data_card.FILE_NAME).read_text(
    'utf-8'
  )
  assert complaint in text


@pytest.mark.parametrize('to', export.OF_CORPORA)
def test_exports_are_written_once(built, tmp_path, capsys, to):
  config = frozen('custom')
  with pytest.raises(ValueError, match='run `python -m icl_gen.build`'):
    export.run(config, tmp_path, to=to)
  build.run(config, tmp_path)
  export.run(config, tmp_path, to=to)
  directory = tmp_path / 'exports' / f'custom-s0-{to}'
  assert checksums.hashes(directory)
  capsys.readouterr()
  before = everything(tmp_path)
  export.run(config, tmp_path, to=to)
  assert everything(tmp_path) == before
  said = f'nothing to do, complete already: {directory}\n'
  assert capsys.readouterr().out == said
  if to == 'lm_eval':
    with pytest.raises(ValueError, match='context.factor=1, now it is 2'):
      export.run(frozen('custom', context__factor=2), tmp_path, to=to)
    for changes in ({'context__kind': 'bm25'}, {'chat': True}):
      with pytest.raises(ValueError, match='cannot be exported'):
        export.run(frozen('custom', **changes), tmp_path, to=to)


def exported(directory):
  """The ids of the questions of an export."""
  return {
    json.loads(line)['id']
    for path in directory.glob('*.jsonl')
    for line in path.read_text('utf-8').splitlines()
  }


def test_questions_that_choose_a_checkpoint_are_not_exported(tmp_path):
  """The harness would score what the weights were chosen by."""
  settings = {'train__evaluate_every': 1, 'train__evaluate_share': 0.3}
  config = frozen('reversal', 'tiny', **settings)
  build.run(config, tmp_path)
  export.run(config, tmp_path, to='lm_eval')
  corpus = corpus_files.read(tmp_path / 'corpora' / 'reversal-s0')
  experiment = experiments.read(config.to_dict())
  tested = {q.id for q in development.tested(corpus, experiment).questions}
  assert len(tested) < len(corpus.questions)
  assert exported(tmp_path / 'exports' / 'reversal-s0-lm_eval') == tested
  for other in ({}, settings | {'train__evaluate_share': 0.5}):
    with pytest.raises(ValueError, match='was created with development'):
      export.run(frozen('reversal', 'tiny', **other), tmp_path, to='lm_eval')


def test_an_export_is_of_the_tokenizer_of_its_checkpoint(tmp_path):
  """Which says how many documents a context has room for."""
  checkpoint = tmp_path / 'checkpoint'
  checkpoint.mkdir()
  shutil.copy(assets.path('tokenizer.model'), checkpoint)
  build.run(frozen('custom'), tmp_path)
  export.run(frozen('custom'), tmp_path, to='lm_eval')
  with pytest.raises(ValueError, match="tokenizer='', now it is '.*checkpoint"):
    export.run(
      frozen('custom', checkpoint=str(checkpoint)), tmp_path, to='lm_eval'
    )
