"""Own documents are given by one flag; without questions, nothing is scored."""

import dataclasses
import json

import pytest

from configs import study as config
from icl_gen.runs import in_context, own_documents, reported, studies
from icl_gen.runs.experiments import Context
from icl_gen.types import Corpus, Document, Question
from tests.runs.test_experiments import EXPERIMENT
from tests.runs.test_studies import VALUES


def of_folder(folder):
  values = config.get_config('custom').to_dict()
  return studies.read(own_documents.of_folder(values, str(folder)))


def test_the_folder_replaces_that_of_the_example(tmp_path):
  before = config.get_config('custom').to_dict()
  after = own_documents.of_folder(before, str(tmp_path))
  assert after['experiments']['custom']['size']['path'] == str(tmp_path)
  assert before['experiments']['custom']['size']['path'] != str(tmp_path)
  after['experiments']['custom']['size']['path'] = before['experiments'][
    'custom'
  ]['size']['path']
  assert after == before


def test_another_study_has_no_documents_of_its_own():
  with pytest.raises(ValueError, match=r"--documents='d'.*study.py:custom"):
    own_documents.of_folder(VALUES, 'd')
  with pytest.raises(ValueError, match='study.py:custom'):
    own_documents.of_folder({'world': 'reversal'}, 'd')


def test_without_questions_only_documents_are_generated(tmp_path, capsys):
  (tmp_path / 'a.md').write_text('A.')
  study = of_folder(tmp_path)
  doors = [job.door for job in studies.jobs(study, tmp_path / 'out')]
  assert doors == ['build', 'augment'] * 3
  own_documents.warn(study)
  printed = capsys.readouterr().out
  assert 'so nothing is trained or scored' in printed
  (tmp_path / 'questions.jsonl').write_text('{}')
  doors = {job.door for job in studies.jobs(study, tmp_path / 'out')}
  assert doors == {'build', 'augment', 'train', 'evaluate'}


def test_the_report_of_a_study_without_questions_is_of_what_was_generated(
  tmp_path,
):
  (tmp_path / 'a.md').write_text('A.')
  study, root = of_folder(tmp_path), tmp_path / 'out'
  assert 'generated' not in reported.stage(study, root).settings
  for job in studies.jobs(study, root):
    job.result.parent.mkdir(parents=True)
    job.result.write_text(job.door)
  first = reported.stage(study, root).settings
  assert len(first['generated']) == 3
  job.result.write_text('another')
  assert reported.stage(study, root).settings != first


def test_nano_is_warned_of_once_and_a_real_model_is_not(tmp_path, capsys):
  (tmp_path / 'questions.jsonl').write_text('{}')
  study = of_folder(tmp_path)
  own_documents.warn(study)
  assert capsys.readouterr().out.count('note: The embedded model nano') == 1
  own_documents.warn(dataclasses.replace(study, models=('gemma3_1b',)))
  own_documents.warn(studies.read(VALUES))
  assert capsys.readouterr().out == ''


def test_questions_are_proposed_about_own_documents_only(tmp_path):
  found = own_documents.experiment(of_folder(tmp_path))
  assert (found.world, found.model, found.seed) == ('custom', 'nano', 0)
  assert found.size['path'] == str(tmp_path)
  with pytest.raises(ValueError, match='and --documents=DIRECTORY'):
    own_documents.experiment(studies.read(VALUES))


def test_proposals_are_not_written_over(tmp_path):
  path = own_documents.proposals_file(tmp_path)
  own_documents.write_questions(path, [{'prompt': 'Ä'}, {'prompt': 'b'}])
  lines = path.read_text('utf-8').splitlines()
  assert [json.loads(line)['prompt'] for line in lines] == ['Ä', 'b']
  with pytest.raises(ValueError, match='may have been edited; move or delete'):
    own_documents.proposals_file(tmp_path)


# --- the context that fits ---------------------------------------------------


CORPUS = Corpus(
  'c',
  tuple(Document(f'd{n}', f'word{n} ' * 5) for n in range(9)),
  (Question('q', 'word3', (' a', ' b'), (0,), 'k'),),
)


def context(budget, model='nano'):
  wanted = Context(kind='fitting', factor=1, budget=budget, documents=2)
  experiment = dataclasses.replace(EXPERIMENT, context=wanted, model=model)
  return in_context.context(experiment, CORPUS, name='c', count_tokens=len)


def test_all_documents_are_in_context_if_they_fit_else_the_nearest():
  whole = context(10_000)
  assert whole.left_out == 0
  length = 1 + len(whole.text)
  assert context(length) == whole
  (nearest,) = context(length - 1)
  assert 'd3' in nearest.documents and len(nearest.documents) == 2


def test_the_budget_follows_from_the_model():
  def budget(model, **given):
    wanted = Context(**{'kind': 'fitting', 'factor': 1, **given})
    return in_context.budget(
      dataclasses.replace(EXPERIMENT, context=wanted, model=model)
    )

  assert budget('nano') == 2048
  assert budget('gemma3_1b') > 20_000
  assert budget('nano', budget=7) == 7
  assert budget('nano', kind='all') == 0


def test_the_world_of_own_documents_trains_from_every_sentence_on():
  train = config.get_config('custom').experiments.custom.train
  assert (train.splitting, train.length) == ('onward', 0)
  for world, other in config.get_config().experiments.items():
    assert (world, other.train.splitting) == (world, 'none')
