"""Reports and scores are read back with what belongs to them."""

import pytest

from icl_gen.reporting import sums
from icl_gen.runs import verification
from icl_gen.runs.stage import Stage
from icl_gen.storage import files, recollections, scores
from tests.storage.test_scores import SCORE

FILES = {'index.html': b'page', 'explorer/reversal-nano.js': b'data'}


@pytest.fixture
def report(tmp_path):
  directory = tmp_path / 'report'
  for name, data in FILES.items():
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
  (directory / sums.NAME).write_text(sums.text(FILES))
  return directory


def wrong(report):
  """Name -> what is wrong with it."""
  findings = verification._of_report(Stage('report', report.parent, {}))
  return {
    f.path.relative_to(report).as_posix(): f.why
    for f in findings
    if f.why and f.path.is_relative_to(report)
  }


def test_a_whole_report_is_whole(report):
  assert wrong(report) == {}


@pytest.mark.parametrize('name', FILES)
def test_a_changed_file_is_named(report, name):
  (report / name).write_bytes(b'other')
  assert wrong(report) == {name: f'not what {sums.NAME} states'}


def test_a_missing_piece_and_one_that_is_not_listed_are_named(report):
  (report / 'explorer/other.js').write_bytes(b'')
  assert list(wrong(report)) == [sums.NAME]
  (report / 'explorer/other.js').unlink()
  (report / 'explorer/reversal-nano.js').unlink()
  assert list(wrong(report)) == ['explorer/reversal-nano.js']


@pytest.fixture
def recalled(tmp_path):
  """Scores of a cell that recalled before it answered; what it recalled."""
  stage = Stage('evaluate', tmp_path, {})
  files.write_sealed_json(stage.settings_file, {})
  of = {recollections.COST: 1}
  scores.write_scores(stage.result, [SCORE], metadata=of)
  recollections.write(tmp_path, {SCORE.question_id: []})
  return stage, tmp_path / recollections.NAME


def told(stage):
  """Name -> what is wrong with it, and what has to be deleted."""
  return {
    found.path.name: (found.why, [path.name for path in found.delete])
    for found in verification._of_scores(stage)
    if found.why
  }


def test_what_was_recalled_is_read_back(recalled):
  stage, path = recalled
  assert told(stage) == {}
  both = [path.name, stage.result.name]
  path.write_text('{}\n')
  assert told(stage) == {path.name: (verification._UNLIKE, both)}
  path.unlink()
  assert told(stage) == {path.name: ('missing', both)}
