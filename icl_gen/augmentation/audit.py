"""The audit: compares the facts of a text with a world's logical closure."""

import dataclasses
from collections.abc import Callable, Sequence

from icl_gen.types import Fact, World
from icl_gen.worlds import catalog

# From best to worst; a text gets the worst label of its facts.
LABELS = (
  'stated',
  'entailed',
  'unknown',
  'contradicted',
  'unparsed',
  'unverified',
)


@dataclasses.dataclass(frozen=True)
class Verdict:
  """How a text compares with the world.

  Attributes:
    label: 'stated' (the world gives every fact), 'entailed' (every fact is
      given or entailed, and at least one is entailed), 'contradicted' (the
      world excludes a fact), 'unknown' (no fact is excluded, but at least one
      is neither given nor entailed), 'unparsed' (no facts could be read) or
      'unverified' (the world has no facts, like a user's own documents).
    hops: the maximum number of hops of the facts of an entailed text; else 0.
  """

  label: str
  hops: int = 0


Auditor = Callable[[Sequence[Fact] | None], Verdict]


def auditor(world: World) -> Auditor:
  """Indexes a world's facts and returns a function that judges texts.

  The function takes the facts of a text (None if it could not be read) and
  returns a Verdict, in constant time per fact. A world excludes the facts
  that it lists as contradicted, and those that a true fact leaves no room for.
  """
  if not world.facts:
    return lambda facts: Verdict('unverified')
  verdicts = {fact: Verdict('contradicted') for fact in world.contradicted}
  for entailment in world.entailed:
    verdicts[entailment.fact] = Verdict('entailed', entailment.hops)
  for fact in world.facts:
    verdicts[fact] = Verdict('stated')

  excluded = catalog.excluder(world)

  def verdict(fact: Fact) -> Verdict:
    if fact in verdicts:
      return verdicts[fact]
    return Verdict('contradicted' if excluded(fact) else 'unknown')

  def judge(facts: Sequence[Fact] | None) -> Verdict:
    if not facts:
      return Verdict('unparsed')
    return max(
      map(verdict, facts), key=lambda v: (LABELS.index(v.label), v.hops)
    )

  return judge
