"""The order in which examples are taken: shuffled, some of them replayed."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np


class Sized(Protocol):
  """What is taken; an `Example` has ids."""

  @property
  def ids(self) -> np.ndarray:
    """int32[L]."""


class Endless(Protocol):
  """An order without an end."""

  def __getitem__(self, place: int) -> Any:
    """What is at a place, 0 or more."""


class Mixture:
  """An endless order of which a share is replayed from another one.

  The share is of tokens: the next example is replayed if less than the share of
  all tokens so far was. So after every example the share is met to within one
  example, whatever the lengths. For a share of 1/4 and examples of one length,
  it begins: own, replayed, own, own, own, replayed, own, own, own.
  """

  def __init__(
    self, own: Endless, *, replayed: Endless | None = None, share: float = 0.0
  ) -> None:
    """Starts at the first example.

    Args:
      own: the order of what the run is about; it comes first.
      replayed: the order of other examples; None: there are none.
      share: of the tokens, that is replayed, 0 or more and less than 1.
    """
    assert 0 <= share < 1 and (replayed is None) == (share == 0), share
    self._own, self._replayed, self._share = own, replayed, share
    self._counts = {'taken': 0}
    if replayed is not None:
      self._counts |= {'replayed': 0, 'tokens': 0, 'replayed_tokens': 0}

  def peek(self) -> Any:
    """The next example, which stays the next one."""
    if self._is_replayed():
      assert self._replayed is not None
      return self._replayed[self._counts['replayed']]
    return self._own[self._counts['taken']]

  def take(self) -> None:
    """Goes on to the example after the next one."""
    if self._replayed is None:
      self._counts['taken'] += 1
      return
    again, size = self._is_replayed(), len(self.peek().ids)
    self._counts['replayed' if again else 'taken'] += 1
    self._counts['tokens'] += size
    self._counts['replayed_tokens'] += size * again

  def _is_replayed(self) -> bool:
    if self._replayed is None:
      return False
    tokens = self._counts['tokens']
    return self._counts['replayed_tokens'] < self._share * tokens

  def state(self) -> dict[str, int]:
    """The position: examples taken of either order, and their tokens."""
    return dict(self._counts)

  def restore(self, state: Mapping[str, int]) -> None:
    """Continues at the position at which `state` was read."""
    self._counts = {name: state[name] for name in self._counts}

  @property
  def counted(self) -> tuple[str, ...]:
    """The names of the numbers of a state."""
    return tuple(self._counts)
