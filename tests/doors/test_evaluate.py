"""An interrupted evaluation resumes after the last part that it scored."""

import shutil

import pytest

from icl_gen import assets, build, evaluate
from icl_gen.runs import directories, models
from icl_gen.storage import corpus_files, files, scores
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from tests import interrupts


def cell(workdir):
  return directories.run(
    workdir, world='reversal', condition='icl', model='nano', seed=0
  )


def files_of(workdir):
  return {path.name: path.read_bytes() for path in cell(workdir).iterdir()}


def interrupt(config, workdir, *, parts):
  """Evaluates until this many parts are on disk."""
  with interrupts.interrupted(scores, 'append_part', after=parts):
    evaluate.run(config, workdir)
  assert not (cell(workdir) / 'scores.parquet').exists()


@pytest.fixture(scope='module')
def one_document_in(experiment):
  """Makes the config with this context factor, scored in three parts."""

  def make(factor, **scoring):
    scoring, context = {'questions': 5} | scoring, {'factor': factor}
    return experiment(condition='icl', scoring=scoring, context=context)

  return make


@pytest.fixture(scope='module')
def whole(one_document_in, compile_once, tmp_path_factory):
  """A workdir in which nothing was interrupted."""
  workdir = tmp_path_factory.mktemp('whole')
  for door in (build, evaluate):
    door.run(one_document_in(3), workdir)
  return workdir


@pytest.fixture
def interrupted(one_document_in, compile_once, tmp_path, capsys):
  """A workdir interrupted after two of three parts."""
  build.run(one_document_in(3), tmp_path)
  interrupt(one_document_in(3), tmp_path, parts=2)
  assert 'scored 10/12' in capsys.readouterr().out
  return tmp_path


def test_it_resumes_to_the_same_scores(
  interrupted, whole, one_document_in, capsys
):
  evaluate.run(one_document_in(3), interrupted)
  assert 'scored 10/12' not in capsys.readouterr().out
  assert files_of(interrupted) == files_of(whole)


def test_parts_of_other_settings_are_not_resumed(
  interrupted, whole, one_document_in, capsys
):
  interrupt(one_document_in(1), interrupted, parts=1)
  assert 'scored 5/12' in capsys.readouterr().out
  evaluate.run(one_document_in(1), interrupted)
  assert 'scored 5/12' not in capsys.readouterr().out
  ours, theirs = (files_of(w)['scores.parquet'] for w in (interrupted, whole))
  assert ours != theirs


def test_a_mistake_deletes_no_part(interrupted, one_document_in, capsys):
  with pytest.raises(ValueError, match="'fast'; allowed are auto"):
    evaluate.run(one_document_in(3, core='fast'), interrupted)
  evaluate.run(one_document_in(3), interrupted)
  assert 'scored 10/12' not in capsys.readouterr().out


def test_a_generated_answer_is_no_longer_than_rows_may_be(
  whole, experiment, tmp_path, monkeypatch
):
  workdir = shutil.copytree(whole, tmp_path / 'out')
  corpus = corpus_files.read(
    directories.corpus(workdir, world='reversal', seed=0)
  )
  count = tokens.load(assets.path('tokenizer.model')).count
  asked = contexts.summary(contexts.NONE, corpus.questions, count)
  monkeypatch.setitem(models._LONGEST, 'nano', asked['row_tokens'])
  config = experiment(condition='pretrained', scoring={'generate': True})
  with pytest.raises(ValueError, match=r'and a generated answer\) takes'):
    evaluate.run(config, workdir)


def test_damaged_scores_are_not_taken_for_finished(
  whole, one_document_in, tmp_path
):
  """Asked again, the command says what to do; doing it gives the same bytes."""
  workdir = shutil.copytree(whole, tmp_path / 'out')
  path = cell(workdir) / 'scores.parquet'
  before = path.read_bytes()
  evaluate.run(one_document_in(3), workdir)
  for damaged in (before[: len(before) // 2], b'', before + b'\n'):
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r'scores\.parquet .*delete it'):
      evaluate.run(one_document_in(3), workdir)
  path.unlink()
  evaluate.run(one_document_in(3), workdir)
  assert path.read_bytes() == before


@pytest.mark.slow
def test_what_is_recalled_is_kept_and_resumed(
  experiment, compile_once, tmp_path, capsys
):
  """With embedded weights, which never saw the documents."""
  config = experiment(condition='icl', context={'kind': 'recalled'})
  build.run(config, tmp_path)
  evaluate.run(config, tmp_path)
  whole = files_of(tmp_path)
  rows = files.read_sealed_lines(cell(tmp_path) / 'recalled.jsonl')
  corpus = corpus_files.read(
    directories.corpus(tmp_path, world='reversal', seed=0)
  )
  assert [row['question'] for row in rows] == [q.id for q in corpus.questions]
  given = {document.text for document in corpus.documents}
  recalled = [one for row in rows for one in row['recalled']]
  assert recalled
  for one in recalled:
    assert one['text'].startswith(one['cue'])
    assert (one['text'] in given) <= (one['verdict'] == 'stated')
  for name in ('scores.parquet', 'recalled.jsonl'):
    (cell(tmp_path) / name).unlink()
  with interrupts.interrupted(scores, 'append_part', after=0):
    evaluate.run(config, tmp_path)
  capsys.readouterr()
  evaluate.run(config, tmp_path)
  assert 'sampled' not in capsys.readouterr().out
  assert files_of(tmp_path) == whole
