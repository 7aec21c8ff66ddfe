"""The logical closure agrees with brute force on small random worlds."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.types import Entailment, Fact
from icl_gen.worlds import logic

ENTITIES = st.sampled_from('abcd')
RELATIONS = st.sampled_from('rst')
FACTS = st.lists(
  st.builds(Fact, ENTITIES, RELATIONS, ENTITIES), max_size=6, unique=True
)
RULES = st.lists(
  st.one_of(
    st.builds(logic.Flip, RELATIONS, RELATIONS),
    st.builds(logic.Chain, RELATIONS, RELATIONS, RELATIONS),
  ),
  max_size=3,
)


def applications(known, rules):
  """(conclusion, premises) of every rule and every one or two known facts."""
  for rule, fact in itertools.product(rules, known):
    if isinstance(rule, logic.Flip):
      if fact.relation == rule.relation:
        yield Fact(fact.object, rule.result, fact.subject), (fact,)
      continue
    for other in known:
      relations = fact.relation, other.relation
      meet = fact.object == other.subject
      if relations == (rule.first, rule.second) and meet:
        joined = Fact(fact.subject, rule.result, other.object)
        yield joined, (fact, other)


def all_true(facts, rules):
  known = set(facts)
  while True:
    new = {fact for fact, _ in applications(known, rules)} - known
    if not new:
      return known
    known |= new


def fewest_hops(facts, rules):
  """Applies every rule until no count falls any further."""
  known = all_true(facts, rules)
  hops = dict.fromkeys(known, float('inf')) | dict.fromkeys(facts, 0)
  falling = True
  while falling:
    falling = False
    for fact, premises in applications(known, rules):
      total = 1 + sum(hops[premise] for premise in premises)
      if total < hops[fact]:
        hops[fact], falling = total, True
  return hops


@given(FACTS, RULES)
@settings(max_examples=150, deadline=None)
def test_closure_agrees_with_brute_force(facts, rules):
  entailed = logic.closure(facts, rules)
  found = {entailment.fact: entailment for entailment in entailed}
  hops = fewest_hops(facts, rules)

  assert len(found) == len(entailed)
  assert set(found) == all_true(facts, rules) - set(facts)
  assert {fact: e.hops for fact, e in found.items()} == {
    fact: hops[fact] for fact in found
  }
  smallest = {}
  for size in range(len(facts) + 1):
    for some in itertools.combinations(facts, size):
      for fact in all_true(some, rules):
        smallest.setdefault(fact, size)
  for fact, entailment in found.items():
    assert set(entailment.premises) <= set(facts)
    assert fact in all_true(entailment.premises, rules)
    assert len(entailment.premises) == smallest[fact]


@given(FACTS, RULES)
@settings(max_examples=50, deadline=None)
def test_the_closure_of_a_closure_is_empty(facts, rules):
  entailed = [entailment.fact for entailment in logic.closure(facts, rules)]
  assert logic.closure([*facts, *entailed], rules) == ()


@given(FACTS, FACTS, RULES)
@settings(max_examples=50, deadline=None)
def test_entailment_is_monotonic(facts, more, rules):
  fewer = {entailment.fact for entailment in logic.closure(facts, rules)}
  all_of_them = [*facts, *more]
  assert fewer <= set(all_of_them) | {
    entailment.fact for entailment in logic.closure(all_of_them, rules)
  }


def test_inverse_by_hand():
  given_fact = Fact('glon', 'more dangerous', 'troff')
  rules = logic.inverse('more dangerous', 'less dangerous')
  reverse = Fact('troff', 'less dangerous', 'glon')
  assert logic.closure([given_fact], rules) == (
    Entailment(reverse, (given_fact,), 1),
  )
  assert logic.closure([reverse], rules) == (
    Entailment(given_fact, (reverse,), 1),
  )


def test_symmetry_by_hand():
  given_fact = Fact('a', 'is', 'b')
  expected = Entailment(Fact('b', 'is', 'a'), (given_fact,), 1)
  assert logic.closure([given_fact], logic.symmetric('is')) == (expected,)


def test_a_chain_takes_one_hop_fewer_than_it_has_links():
  links = [Fact(str(i), 'below', str(i + 1)) for i in range(5)]
  found = {e.fact: e for e in logic.closure(links, logic.transitive('below'))}
  whole = found[Fact('0', 'below', '5')]
  assert (whole.hops, whole.premises) == (4, tuple(links))
  assert len(found) == 5 * 6 // 2 - 5


def test_inheritance_by_hand():
  parents = [Fact('wren', 'kind of', 'bird'), Fact('bird', 'kind of', 'animal')]
  can = Fact('animal', 'can', 'move')
  rules = [logic.Chain('kind of', 'can', 'can')]
  assert logic.closure([*parents, can], rules) == (
    Entailment(Fact('bird', 'can', 'move'), (parents[1], can), 1),
    Entailment(Fact('wren', 'can', 'move'), (*parents, can), 2),
  )


def test_a_shared_premise_is_counted_once():
  # Of the two derivations of a s y, the one over n shares c with a s z.
  a, b, c, d, e = (Fact(s, 'r', o) for s, o in ('am', 'my', 'an', 'ny', 'nz'))
  rules = [
    logic.Chain('r', 'r', 's'),  # a s y, over m or n; a s z over n
    logic.Flip('s', 't'),
    logic.Chain('t', 's', 'u'),  # y u z
  ]
  found = {x.fact: x for x in logic.closure([a, b, c, d, e], rules)}
  assert found[Fact('y', 'u', 'z')].premises == (c, d, e)


def test_no_facts_or_no_rules_entail_nothing():
  assert logic.closure([], logic.transitive('r')) == ()
  assert logic.closure([Fact('a', 'r', 'b')], []) == ()
