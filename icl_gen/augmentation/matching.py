"""Documents of a control: statements, repeated to a number of tokens."""

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from icl_gen.augmentation.audit import Auditor
from icl_gen.augmentation.sources import Statement
from icl_gen.text.sentences import Reader
from icl_gen.types import Document, Origin

# Training puts BOS before a document, and EOS after it.
_MARKS = 2


def tokens(texts: Iterable[str], count: Callable[[str], int]) -> int:
  """Number of tokens that training sees of texts.

  Args:
    texts: of documents.
    count: number of tokens of a text, without BOS and EOS.
  """
  return sum(count(text) + _MARKS for text in texts)


@dataclasses.dataclass(frozen=True)
class Line:
  """A text of a control, before it is read and judged.

  Attributes:
    name: unique in the control.
    parent: as in `Statement`.
    text: the document's text.
  """

  name: str
  parent: str
  text: str


def lines(
  statements: Sequence[Statement],
  *,
  size: int,
  count: Callable[[str], int],
  noise: float,
  seed: str,
) -> list[Line]:
  """Repeats statements until they have a number of tokens.

  Every round has each statement once, in a new order and in any of its
  wordings. The last round ends where the number is met best.

  Args:
    statements: one or more.
    size: number of tokens, as `tokens` counts them.
    count: number of tokens of a text.
    noise: share of the lines, rounded, that state something false instead; a
      greater share has all false ones of a smaller one.
    seed: name of the draws.

  Raises:
    ValueError: there are no statements, or the size is below one line.
  """
  if not statements:
    raise ValueError('there are no statements to repeat')
  chosen: list[tuple[Statement, int, str]] = []
  total = 0
  for statement, number, rng in _rounds(statements, seed=seed):
    text = rng.choice(statement.texts)
    length = tokens([text], count)
    # Stops where one line more would be farther from the size than none.
    if 2 * (size - total) <= length:
      break
    chosen.append((statement, number, text))
    total += length
  if not chosen:
    raise ValueError(
      f'{size} tokens do not hold the half of one document; give more'
    )
  order = random.Random(f'{seed}/noise').sample(range(len(chosen)), len(chosen))
  false = set(order[: round(noise * len(chosen))])
  return [
    Line(
      f'{statement.name}/{number}',
      statement.parent,
      _false(statement, text) if i in false else text,
    )
    for i, (statement, number, text) in enumerate(chosen)
  ]


def _rounds(
  statements: Sequence[Statement], *, seed: str
) -> Iterator[tuple[Statement, int, random.Random]]:
  """Every statement, again and again, with the number of the round."""
  for number in itertools.count():
    rng = random.Random(f'{seed}/round/{number}')
    for statement in rng.sample(statements, len(statements)):
      yield statement, number, rng


def _false(statement: Statement, text: str) -> str:
  """The false wording in the place of a true one."""
  assert len(statement.false) == len(statement.texts), statement
  return statement.false[statement.texts.index(text)]


def documents(
  found: Sequence[Line],
  *,
  kind: str,
  read: Reader,
  judge: Auditor,
  details: Mapping[str, str],
) -> tuple[Document, ...]:
  """Reads and judges lines, as those that a model writes.

  Args:
    found: the lines.
    kind: the source, which becomes the documents' kind of augmentation.
    read: reads the facts of a text, or returns None.
    judge: judges facts; see `audit.auditor`.
    details: provenance of all documents.
  """
  made = []
  for line in found:
    facts = read(line.text)
    verdict = judge(facts)
    judged = ('verdict', verdict.label), ('hops', str(verdict.hops))
    origin = Origin(kind, (line.parent,), (*details.items(), *judged))
    name = f'{kind}/{line.name}'
    made.append(Document(name, line.text, facts or (), origin=origin))
  return tuple(made)
