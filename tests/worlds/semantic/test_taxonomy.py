"""The taxonomy: nothing said twice, every part a world of its own."""

import pytest

from icl_gen.worlds.semantic import taxonomy

KINDS = taxonomy.kinds()


def test_there_are_110_kinds_over_several_levels():
  assert len(KINDS) == 110
  assert {len(taxonomy.ancestors(name)) for name in KINDS} == set(range(5))
  assert taxonomy.ancestors('cat') == (
    'feline',
    'carnivore',
    'mammal',
    'animal',
  )


@pytest.mark.parametrize('kind', KINDS.values(), ids=str)
def test_a_kind_has_properties_of_its_own(kind):
  own = (*kind.adjectives, *kind.parts)
  assert 1 <= len(own) <= 6
  assert len(set(own)) == len(own)
  assert len(set(kind.relations)) == len(kind.relations)
  above = taxonomy.ancestors(kind.name)
  for name in above:
    other = KINDS[name]
    assert not set(own) & {*other.adjectives, *other.parts}
    assert not set(kind.relations) & set(other.relations)
  for relation, other in kind.relations:
    assert relation in taxonomy.RELATIONS
    assert other in KINDS and other not in (kind.name, *above)


@pytest.mark.parametrize(
  'relation', ['eats', 'is larger than', 'is part of', 'lives in']
)
def test_a_relation_has_choices_to_be_asked_with(relation):
  """A question needs three objects of the relation that are wrong."""
  pairs = [
    (kind.name, other)
    for kind in KINDS.values()
    for name, other in kind.relations
    if name == relation
  ]
  assert len(pairs) >= 12
  assert len({other for _, other in pairs}) >= 8
  # Neither goes both ways.
  assert not {(other, name) for name, other in pairs} & set(pairs)


def test_a_word_is_of_one_type():
  adjectives = {word for kind in KINDS.values() for word in kind.adjectives}
  parts = {word for kind in KINDS.values() for word in kind.parts}
  types = [adjectives, parts, set(KINDS), set(taxonomy.RELATIONS)]
  assert len(set().union(*types)) == sum(map(len, types))


@pytest.mark.parametrize('count', [1, 2, 7, 20, 109, 110])
def test_a_part_is_closed_and_larger_parts_contain_it(count):
  names = {kind.name for kind in taxonomy.part(count)}
  assert len(names) == count
  for kind in taxonomy.part(count):
    assert not kind.parent or kind.parent in names
    assert {other for _, other in kind.relations} <= names
  if count > 1:
    assert {kind.name for kind in taxonomy.part(count - 1)} < names


def test_a_small_part_has_relations_too():
  assert sum(len(kind.relations) for kind in taxonomy.part(20)) >= 20


@pytest.mark.parametrize('count', [0, -1, 111])
def test_other_sizes_are_refused(count):
  with pytest.raises(ValueError, match=f'{count} categories.*Give 1 to 110'):
    taxonomy.part(count)
