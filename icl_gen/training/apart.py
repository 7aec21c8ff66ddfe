"""Training states of processes that share no disk: the first one has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from icl_gen import processes
from icl_gen.model import first_host, saved_trees
from icl_gen.model.saved_trees import Tree
from icl_gen.storage import working_copies
from icl_gen.training import states


def opened(
  directory: str | Path, *, keep: int = 2
) -> 'states.Checkpoints | CheckpointsOfFirst':
  """Opens the training states of a run; all of its processes call it.

  Args:
    directory: of the training states.
    keep: as for `states.Checkpoints`.
  """
  if working_copies.is_apart(directory):
    return CheckpointsOfFirst(directory, keep=keep)
  return states.Checkpoints(directory, keep=keep)


class CheckpointsOfFirst:
  """`states.Checkpoints` of the first process, for all of them.

  A state is gathered in the memory of the first one's host before it is
  written, and read there before it is spread: of 32-bit weights with AdamW,
  12 bytes for each. All processes call the methods together; what they do is
  said there.
  """

  def __init__(self, directory: str | Path, *, keep: int) -> None:
    self._directory = Path(directory)
    self._own: states.Checkpoints | None = None
    with processes.alone() as is_ours:
      if is_ours:
        self._own = states.Checkpoints(directory, keep=keep)

  def latest(self) -> int | None:
    return self._agreed(lambda own: own.latest())

  def save(self, step: int, state: Tree, position: dict[str, Any]) -> None:
    # Only then is the memory free of the state before.
    self._agreed(lambda own: own.wait())
    whole = first_host.gathered(state)
    self._agreed(lambda own: own.save(step, whole, position))

  def keep_too(self, step: int) -> None:
    if self._own is not None:
      self._own.keep_too(step)

  def wait(self) -> None:
    """Waits until all is written and in the bucket, so that all may end."""

    def wait(own: states.Checkpoints) -> None:
      own.wait()
      working_copies.keep_up(self._directory)

    self._agreed(wait)

  def restore(self, like: Tree) -> tuple[Tree, dict[str, Any]]:
    found: list[Tree] = []

    def read(own: states.Checkpoints) -> dict[str, Any]:
      state, position = own.restore(_on_host(like))
      found.append(state)
      return position

    position = self._agreed(read)
    return first_host.spread(found, [like])[0], position

  def restore_at(self, step: int, like: Tree) -> Tree:
    found: list[Tree] = []
    self._agreed(lambda own: found.append(own.restore_at(step, _on_host(like))))
    return first_host.spread(found, [like])[0]

  def close(self) -> None:
    self._agreed(lambda own: own.close())

  def _agreed[T](self, do: Callable[[states.Checkpoints], T]) -> T:
    """What the first process does by itself; the result, in all of them."""
    result: list[T] = []
    with processes.alone() as is_ours:
      if is_ours:
        assert self._own is not None
        result.append(do(self._own))
    return processes.agreed(lambda: result[0])


def _on_host(like: Tree) -> Tree:
  return saved_trees.on_host(states.shapes(like))
