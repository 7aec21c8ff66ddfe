"""The logical closure: entailed facts with minimal premises.

A rule has one of two shapes: `Flip` reverses a fact, `Chain` joins two.
"""

import collections
import dataclasses
import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from icl_gen.types import Entailment, Fact, World


@dataclasses.dataclass(frozen=True)
class Flip:
  """x relation y  =>  y result x."""

  relation: str
  result: str


@dataclasses.dataclass(frozen=True)
class Chain:
  """x first y, y second z  =>  x result z."""

  first: str
  second: str
  result: str


Rule = Flip | Chain


def inverse(relation: str, other: str) -> tuple[Rule, ...]:
  """Each of the two relations is the inverse of the other."""
  return Flip(relation, other), Flip(other, relation)


def symmetric(relation: str) -> tuple[Rule, ...]:
  """The relation holds in both directions or in neither."""
  return (Flip(relation, relation),)


def transitive(relation: str) -> tuple[Rule, ...]:
  """x to y and y to z make x to z."""
  return (Chain(relation, relation, relation),)


@dataclasses.dataclass(frozen=True)
class _Step:
  """The application of one rule to one or two facts."""

  conclusion: Fact
  premises: tuple[Fact, ...]


def closure(
  facts: Iterable[Fact], rules: Iterable[Rule]
) -> tuple[Entailment, ...]:
  """Returns every fact that is entailed and not given.

  The `premises` of an entailment are a smallest set of given facts that entails
  it, in the order given. Its `hops` are the rule applications of the shortest
  derivation, where a fact that is derived twice counts twice: a chain of n
  links takes n - 1. The two minima are taken independently and both are exact.
  Premises are found by keeping all minimal sets, which is quick for taxonomies
  and exponential in the worst case (dense cyclic relations).

  Returns:
    the entailments, by hops and then in the order of discovery.
  """
  given = tuple(dict.fromkeys(facts))
  steps = _steps(given, tuple(rules))
  hops = _hops(given, steps)
  supports = _supports(given, steps)
  found = [fact for fact in hops if hops[fact] > 0]
  return tuple(
    Entailment(
      fact=fact,
      premises=tuple(given[i] for i in min(supports[fact], key=_smallest)),
      hops=hops[fact],
    )
    for fact in found
  )


def true_facts(world: World) -> tuple[Fact, ...]:
  """All facts that are true in a world: those given and those entailed."""
  return (*world.facts, *(entailment.fact for entailment in world.entailed))


def _smallest(support: frozenset[int]) -> tuple[int, list[int]]:
  return len(support), sorted(support)


def _steps(given: Sequence[Fact], rules: Sequence[Rule]) -> tuple[_Step, ...]:
  """All rule applications that the given facts allow."""
  by_subject = collections.defaultdict(list)
  by_object = collections.defaultdict(list)
  known = dict.fromkeys(given)
  waiting = collections.deque(given)
  steps: dict[_Step, None] = {}
  while waiting:
    fact = waiting.popleft()
    by_subject[fact.relation, fact.subject].append(fact)
    by_object[fact.relation, fact.object].append(fact)
    for step in _applications(fact, rules, by_subject, by_object):
      steps[step] = None
      if step.conclusion not in known:
        known[step.conclusion] = None
        waiting.append(step.conclusion)
  return tuple(steps)


def _applications(
  fact: Fact,
  rules: Sequence[Rule],
  by_subject: Mapping[tuple[str, str], list[Fact]],
  by_object: Mapping[tuple[str, str], list[Fact]],
) -> Iterator[_Step]:
  """The rule applications that use the fact, alone or with an earlier one."""
  for rule in rules:
    if isinstance(rule, Flip):
      if fact.relation == rule.relation:
        flipped = Fact(fact.object, rule.result, fact.subject)
        yield _Step(flipped, (fact,))
      continue
    if fact.relation == rule.first:
      for after in by_subject[rule.second, fact.object]:
        joined = Fact(fact.subject, rule.result, after.object)
        yield _Step(joined, (fact, after))
    if fact.relation == rule.second:
      for before in by_object[rule.first, fact.subject]:
        joined = Fact(before.subject, rule.result, fact.object)
        yield _Step(joined, (before, fact))


def _by_premise(steps: Iterable[_Step]) -> dict[Fact, list[_Step]]:
  users = collections.defaultdict(list)
  for step in steps:
    for premise in dict.fromkeys(step.premises):
      users[premise].append(step)
  return users


def _hops(given: Sequence[Fact], steps: Sequence[_Step]) -> dict[Fact, int]:
  """Fewest rule applications that derive each fact, in rising order.

  This is Knuth's generalisation of Dijkstra's algorithm.
  """
  users = _by_premise(steps)
  order = itertools.count()
  queue = [(0, next(order), fact) for fact in given]
  settled: dict[Fact, int] = {}
  while queue:
    hops, _, fact = heapq.heappop(queue)
    if fact in settled:
      continue
    settled[fact] = hops
    for step in users[fact]:
      if all(premise in settled for premise in step.premises):
        total = 1 + sum(settled[premise] for premise in step.premises)
        heapq.heappush(queue, (total, next(order), step.conclusion))
  return settled


def _supports(
  given: Sequence[Fact], steps: Sequence[_Step]
) -> dict[Fact, list[frozenset[int]]]:
  """All minimal sets of given facts, as indices, that entail each fact."""
  users = _by_premise(steps)
  supports: dict[Fact, list[frozenset[int]]] = collections.defaultdict(list)
  waiting = collections.deque(
    (fact, frozenset((i,))) for i, fact in enumerate(given)
  )
  while waiting:
    fact, new = waiting.popleft()
    if any(old <= new for old in supports[fact]):
      continue
    supports[fact] = [old for old in supports[fact] if not new <= old] + [new]
    for step in users[fact]:
      others = [
        [new] if premise == fact else list(supports[premise])
        for premise in step.premises
      ]
      waiting.extend(
        (step.conclusion, frozenset().union(*combination))
        for combination in itertools.product(*others)
      )
  return supports
