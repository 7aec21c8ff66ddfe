"""Writes metrics as JSON lines, TensorBoard events and a progress line."""

import pathlib
from collections.abc import Mapping
from typing import Any

import tensorboardX

from icl_gen import processes
from icl_gen.storage import checksums, files


class Writer:
  """Writes a run's metrics; a resumed run continues the same files.

  Of several processes, the first one writes.

  `metrics.jsonl` is a log: lines without digests, for other programs to read.
  When it is complete, its SHA-256 is written to `metrics.jsonl.sha256`.
  """

  def __init__(
    self, directory: files.Path, *, name: str, steps: int, done: int
  ) -> None:
    """Opens the files of a run.

    Args:
      directory: of the run; created if it does not exist.
      name: name of the run, for the progress line.
      steps: number of steps at the end of the run.
      done: number of steps taken. Lines of later steps, which an interrupted
        run wrote after its last checkpoint, are removed; they will be written
        again.
    """
    self._lines = pathlib.Path(directory) / 'metrics.jsonl'
    self._name, self._steps = name, steps
    if not processes.is_first():
      return
    self._lines.parent.mkdir(parents=True, exist_ok=True)
    if self._lines.exists():
      files.keep_json_lines(self._lines, lambda line: _is_before(line, done))
    self._board = tensorboardX.SummaryWriter(
      str(directory), purge_step=done + 1
    )

  def write(self, step: int, values: dict[str, float]) -> None:
    """Writes the values of one step and prints the progress line."""
    if not processes.is_first():
      return
    files.append_json_line(self._lines, {'step': step, **values})
    for name, value in values.items():
      self._board.add_scalar(name, value, step)
    self._board.flush()
    minutes, seconds = divmod(round(values['eta_seconds']), 60)
    print(
      f'{self._name}: step {step}/{self._steps}  loss {values["loss"]:.4f}'
      f'  {values["tokens_per_second"]:,.0f} tokens/s'
      f'  {minutes}:{seconds:02d} to go',
      flush=True,
    )

  def write_evaluation(self, step: int, values: Mapping[str, float]) -> None:
    """Writes a line with what an evaluation while training found.

    Args:
      step: after which it was.
      values: by name; 'accuracy' is a share of 1, 'margin' is in nats, and
        'questions' is their number.
    """
    if not processes.is_first():
      return
    named = {f'development_{name}': value for name, value in values.items()}
    files.append_json_line(self._lines, {'step': step, **named})
    for name, value in named.items():
      self._board.add_scalar(name, value, step)
    self._board.flush()
    print(
      f'{self._name}: step {step}/{self._steps}  accuracy'
      f' {100 * values["accuracy"]:.1f} %, margin {values["margin"]:.3f} nats'
      f' on {values["questions"]} development questions',
      flush=True,
    )

  def write_skills(
    self, step: int, lesson: str, values: Mapping[str, float]
  ) -> None:
    """Writes a line with what a model can do after a step.

    Args:
      step: after which it was measured.
      lesson: of the curriculum.
      values: '<skill>/<forms>' -> share of its deciding words.
    """
    if not processes.is_first():
      return
    line = {'step': step, 'lesson': lesson, 'skills': dict(values)}
    files.append_json_line(self._lines, line)
    for name, value in values.items():
      self._board.add_scalar(f'skills/{name}', value, step)
    self._board.flush()
    said = ', '.join(f'{name} {value:.3f}' for name, value in values.items())
    print(f'{self._name}: step {step}, lesson {lesson}: {said}', flush=True)

  def close(self) -> None:
    """Closes the TensorBoard events; writes the digest of the lines."""
    if not processes.is_first():
      return
    self._board.close()
    checksums.write(f'{self._lines}.sha256', [self._lines.name])


def _is_before(line: dict[str, Any], done: int) -> bool:
  """Whether a line of the log is of a step that need not be repeated."""
  step = line.get('step')
  return isinstance(step, int) and step <= done
