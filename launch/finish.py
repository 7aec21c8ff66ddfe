"""What follows the units: who failed, and the report."""

import subprocess
import sys
from collections.abc import Sequence

from icl_gen.runs import states
from launch import experiment as experiments
from launch.experiment import Experiment
from launch.pool import Progress

_LINES = 10  # of a failed unit's log


def require_done(ended: Sequence[Progress]) -> None:
  """Checks that all units are done; prints the ends of the others' logs.

  Raises:
    ValueError: some are not; names them.
  """
  failed = [one for one in ended if one.state != 'done']
  for one in failed:
    print(
      f'{one.unit.name} failed after {one.attempts} attempts;'
      f' {one.unit.log} ends:'
    )
    for line in states.last_lines(one.unit.log)[-_LINES:]:
      print(f'  {line}')
  if failed:
    names = ', '.join(one.unit.name for one in failed)
    raise ValueError(
      f'{len(failed)} of {len(ended)} units failed: {names}. The others are'
      ' complete. Correct what their logs name and re-run the command'
    )


def write_report(experiment: Experiment) -> None:
  """Runs the study: stages of no unit, which need several, and the report.

  Raises:
    ValueError: it failed.
  """
  require_success([sys.executable, *experiments.command(experiment.report)])


def require_success(command: Sequence[str]) -> None:
  """Runs the command that writes the report.

  Raises:
    ValueError: it failed.
  """
  status = subprocess.run(command, check=False).returncode
  if status:
    raise ValueError(
      f'the report was not written (exit status {status}); see above'
    )
