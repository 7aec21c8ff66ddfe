"""Training curves as runs logged them."""

import pytest

from icl_gen.reporting.records import Cell
from icl_gen.runs import training_logs
from icl_gen.storage import checksums, files
from icl_gen.types import ChoiceScore, Score

NAME = 'reversal-ft-nano-s0'


@pytest.fixture(params=[1, -1], ids=['in order', 'exchanged'])
def log(request, tmp_path):
  path = tmp_path / 'runs' / NAME / training_logs.LOG
  path.parent.mkdir(parents=True)
  for step, loss in ((50, 1.5), (100, 0.25))[:: request.param]:
    files.append_json_line(path, {'step': step, 'loss': loss, 'weight': 3.0})
  checksums.write(path.with_name(training_logs.SUMS), [path.name])
  return path


def curves(root, condition='ft'):
  choice = ChoiceScore(-1.0, 1, 1, 1, 0.0)
  score = Score('q', 'reversal', '', 'q', (0,), (choice, choice))
  cell = Cell('reversal', condition, 'nano', 0, (score,))
  return training_logs.curves(root, {NAME: cell})


def test_a_curve_is_what_was_logged(tmp_path, log):
  (curve,) = curves(tmp_path)
  assert (curve.steps, curve.losses) == ((50, 100), (1.5, 0.25))
  assert (curve.world, curve.condition, curve.seed) == ('reversal', 'ft', 0)


def test_what_was_not_trained_has_none(tmp_path, log):
  assert curves(tmp_path, 'icl') == ()


def test_a_log_that_is_damaged_or_gone_has_none(tmp_path, log):
  log.write_bytes(log.read_bytes().replace(b'1.5', b'1.6'))
  assert curves(tmp_path) == ()
  log.unlink()
  assert curves(tmp_path) == ()
  log.with_name(training_logs.SUMS).unlink()
  assert curves(tmp_path) == ()
