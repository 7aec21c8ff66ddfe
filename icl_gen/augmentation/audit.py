"""The audit: is what was said stated, entailed, contradicted or unknown?

Compares facts with a world's closure; reads no text and knows no model.
"""

import dataclasses
from collections.abc import Callable, Sequence

from icl_gen.types import Fact, World
from icl_gen.worlds import exclusion

# From the best to the worst; a text gets the worst label of its facts.
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
  """What the world says to a text.

  Attributes:
    label: 'stated' (every fact is given), 'entailed' (every fact is given or
      entailed, one at least entailed), 'contradicted' (some fact is excluded),
      'unknown' (no fact is excluded, some are neither given nor entailed),
      'unparsed' (no facts could be read) or 'unverified' (the world has no
      facts to judge by, as a user's own documents have none).
    hops: of an entailed text, the most hops of any of its facts; else 0.
  """

  label: str
  hops: int = 0


Auditor = Callable[[Sequence[Fact] | None], Verdict]


def auditor(world: World) -> Auditor:
  """Indexes the world and returns its judge, constant time per fact.

  The judge takes the facts of a text (None or empty where it could not be
  read) and returns a Verdict. Excluded is what the world lists, and what there
  is no room for beside what is true, see `worlds.exclusion`.
  """
  if not world.facts:
    return lambda facts: Verdict('unverified')
  of_fact = {fact: Verdict('contradicted') for fact in world.contradicted}
  for entailment in world.entailed:
    of_fact[entailment.fact] = Verdict('entailed', entailment.hops)
  for fact in world.facts:
    of_fact[fact] = Verdict('stated')

  excluded = exclusion.excluder(world)

  def verdict(fact: Fact) -> Verdict:
    if fact in of_fact:
      return of_fact[fact]
    return Verdict('contradicted' if excluded(fact) else 'unknown')

  def judge(facts: Sequence[Fact] | None) -> Verdict:
    if not facts:
      return Verdict('unparsed')
    verdicts = [verdict(fact) for fact in facts]
    return max(verdicts, key=lambda v: (LABELS.index(v.label), v.hops))

  return judge
