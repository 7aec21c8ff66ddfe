"""A table of forms in three parts."""

import dataclasses
from collections.abc import Iterator

PARTS = ('seen', 'development', 'test')
# What a pretraining stream may say: what the embedded models were pretrained
# on, or the same without the syllogisms and verbs that are held out.
STREAMS = ('all', 'pretraining')


@dataclasses.dataclass(frozen=True)
class Split[T]:
  """The three parts of a table.

  Attributes:
    seen: what pretraining uses, and worlds by default.
    development: held out of pretraining, to choose settings on.
    test: held out of pretraining, to report results on.
  """

  seen: T
  development: T
  test: T

  def __getitem__(self, part: str) -> T:
    """The part with one of the names in PARTS."""
    return {
      'seen': self.seen,
      'development': self.development,
      'test': self.test,
    }[part]

  def __iter__(self) -> Iterator[T]:
    """All parts, in the order of PARTS."""
    return iter((self.seen, self.development, self.test))


def words(text: str) -> tuple[str, ...]:
  """Splits a text into its words."""
  return tuple(text.split())
