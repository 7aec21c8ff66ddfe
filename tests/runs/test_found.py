"""What a report reads from a directory."""

import pytest

from icl_gen.runs import directories, found
from icl_gen.runs.stage import result
from icl_gen.storage import corpus_files, files, recollections, scores
from icl_gen.types import (
  ChoiceScore,
  Corpus,
  Document,
  Origin,
  Question,
  Score,
)

QUESTION = Question('q', 'It is', (' a.', ' b.'), (0,), 'reversal')


@pytest.fixture
def root(tmp_path):
  """Two cells of one corpus, and one cell whose corpus is gone."""
  made = Corpus('c', (Document('d', 'It is a.'),), (QUESTION,))
  corpus_files.write(
    made, directories.corpus(tmp_path, world='reversal', seed=0)
  )
  choice = ChoiceScore(-1.0, 1, 1, 1, 0.0)
  score = Score('q', 'reversal', '', QUESTION.cluster, (0,), (choice, choice))
  for condition, seed in (('icl', 0), ('ft', 0), ('ft', 1)):
    of = {'world': 'reversal', 'condition': condition, 'seed': seed}
    path = result('evaluate', directories.run(tmp_path, model='nano', **of))
    path.parent.mkdir(parents=True)
    scores.write_scores(path, [score], metadata={**of, 'model': 'nano'})
  return tmp_path


def test_the_corpora_of_cells_are_read_once(root, monkeypatch):
  read, directories_read = corpus_files.read, []

  def counted(directory):
    directories_read.append(directory)
    return read(directory)

  monkeypatch.setattr(corpus_files, 'read', counted)
  there = found.look(root)
  assert len(there.cells) == 3
  assert there.corpora.keys() == {('reversal', 0)}
  assert there.corpora['reversal', 0].questions == (QUESTION,)
  assert len(directories_read) == 1


def test_a_cell_has_what_was_recalled_before_its_answers(root):
  """If anything was: older studies, and other conditions, have none."""
  (path,) = (root / 'runs').glob('*-icl-*')
  assert found.cell(result('evaluate', path)).recalled == {}
  details = ('hops', '2'), ('verdict', 'entailed')
  origin = Origin('recalled', ('It',), details)
  recollections.write(path, {'q': [Document('d', 'It is a.', origin=origin)]})
  _tell_of_recalling(result('evaluate', path))
  cells = found.look(root).cells
  ((recalled,),) = cells[path.name].recalled.values()
  assert (recalled.text, recalled.origin) == ('It is a.', origin)
  assert [name for name, cell in cells.items() if cell.recalled] == [path.name]


def test_a_cell_that_recalled_needs_the_file_of_it(root):
  """Without it, its answers would be shown as if nothing had been recalled."""
  (path,) = (root / 'runs').glob('*-icl-*')
  _tell_of_recalling(result('evaluate', path))
  with pytest.raises(ValueError, match=r'recalled.jsonl is missing'):
    found.look(root)


def _tell_of_recalling(path):
  metadata = scores.read_metadata(path) | {recollections.COST: 1}
  scores.write_scores(path, scores.read_scores(path), metadata=metadata)


def test_without_a_report_the_study_says_whether_runs_are_chosen(root):
  assert found.look(root).choose
  files.write_sealed_json(root / 'study.json', {'choose': False})
  assert not found.look(root).choose


def test_a_report_keeps_its_choice_until_another_is_given(root):
  """Also one that was asked to choose, in a study that does not."""
  files.write_sealed_json(root / 'study.json', {'choose': False})
  (root / 'report').mkdir()
  (root / 'report' / 'index.html').touch()
  settings = {'cells': {}, 'main_kinds': {}}
  for kept in ({}, {'choose': False}):
    files.write_sealed_json(root / 'report.config.json', settings | kept)
    there = found.look(root, [])
    assert there.choose == kept.get('choose', True)
    assert there.is_reported(settings | kept)
    other = {} if kept else {'choose': False}
    assert not there.is_reported(settings | other)


def test_a_run_that_is_not_trained_has_no_documents_of_another(root):
  """What the model inferred is not what a control says."""
  where = {'world': 'reversal', 'seed': 0, 'model': 'nano'}
  of_model = directories.augmented(root, **where)
  of_control = directories.augmented(root, **where, name='source_oracle')
  origin = Origin('local', (), (('verdict', 'unparsed'),))
  for directory, text in ((of_model, 'It may.'), (of_control, 'It is a.')):
    corpus_files.write(
      Corpus(
        directory.name,
        (Document('d', text, origin=origin),),
        (),
        {'costs': {}},
      ),
      directory,
    )
  names = [
    directories.run(root, condition='ft_aug', **where, run=run).name
    for run in ('', 'source_oracle')
  ]
  known = dict(zip(names, (of_model.name, of_control.name), strict=True))

  def said(augmented):
    there = found.look(root, names, augmented)
    return {(one.run, one.runs): one.documents[0].text for one in there.records}

  assert said({}) == {('', ('',)): 'It may.'}
  assert said(known) == {
    ('', ('',)): 'It may.',
    ('source_oracle', ('source_oracle',)): 'It is a.',
  }
  unfinished = found.look(root, names).unfinished
  assert [(one.condition, one.run) for one in unfinished] == [
    ('ft_aug', ''),
    ('ft_aug', 'source_oracle'),
  ]


def test_a_damaged_corpus_is_an_error(root):
  directory = directories.corpus(root, world='reversal', seed=0)
  manifest = files.read_json(directory / corpus_files.MANIFEST)
  name = next(iter(manifest['files']))
  (directory / name).write_bytes(b'')
  with pytest.raises(ValueError, match='damaged|delete the directory'):
    found.look(root)
