"""Metrics as data: one JSON object a line, TensorBoard, and a progress line."""

import pathlib

import tensorboardX

from icl_gen.storage import files


class Writer:
  """Writes a run's metrics; a resumed run continues the same file.

  Args:
    directory: of the run; made if it is not there.
    name: of the run, for the progress line.
    steps: steps at the end of the run.
    done: steps taken so far. Lines of later steps, which an interrupted run
      wrote after its last checkpoint, are dropped: they will come again.
  """

  def __init__(
    self, directory: files.Path, *, name: str, steps: int, done: int
  ):
    self._lines = pathlib.Path(directory) / 'metrics.jsonl'
    self._lines.parent.mkdir(parents=True, exist_ok=True)
    if self._lines.exists():
      files.keep_json_lines(self._lines, lambda line: line['step'] <= done)
    self._board = tensorboardX.SummaryWriter(
      str(directory), purge_step=done + 1
    )
    self._name, self._steps = name, steps

  def write(self, step: int, values: dict[str, float]) -> None:
    """Writes one step's values everywhere and prints the progress line."""
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

  def close(self) -> None:
    self._board.close()
