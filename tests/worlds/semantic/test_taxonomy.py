"""The taxonomy: no repetitions, and every part is closed."""

import pytest

from icl_gen.worlds.semantic import taxonomy

CATEGORIES = taxonomy.categories()


def test_there_are_110_categories_on_five_levels():
  assert len(CATEGORIES) == 110
  assert {len(taxonomy.ancestors(name)) for name in CATEGORIES} == set(range(5))
  assert taxonomy.ancestors('cat') == (
    'feline',
    'carnivore',
    'mammal',
    'animal',
  )


@pytest.mark.parametrize('category', CATEGORIES.values(), ids=str)
def test_a_category_has_properties_of_its_own(category):
  own = (*category.adjectives, *category.parts)
  assert 1 <= len(own) <= 6
  assert len(set(own)) == len(own)
  assert len(set(category.relations)) == len(category.relations)
  above = taxonomy.ancestors(category.name)
  for name in above:
    other = CATEGORIES[name]
    assert not set(own) & {*other.adjectives, *other.parts}
    assert not set(category.relations) & set(other.relations)
  for relation, other in category.relations:
    assert relation in taxonomy.RELATIONS
    assert other in CATEGORIES and other not in (category.name, *above)


@pytest.mark.parametrize(
  'relation', ['eats', 'is larger than', 'is part of', 'lives in']
)
def test_a_relation_has_choices_to_be_asked_with(relation):
  """A question needs three objects of the relation that are wrong."""
  pairs = [
    (category.name, other)
    for category in CATEGORIES.values()
    for name, other in category.relations
    if name == relation
  ]
  assert len(pairs) >= 12
  assert len({other for _, other in pairs}) >= 8
  # Neither goes both ways.
  assert not {(other, name) for name, other in pairs} & set(pairs)


def test_a_word_has_one_role():
  adjectives = {
    word for category in CATEGORIES.values() for word in category.adjectives
  }
  parts = {word for category in CATEGORIES.values() for word in category.parts}
  types = [adjectives, parts, set(CATEGORIES), set(taxonomy.RELATIONS)]
  assert len(set().union(*types)) == sum(map(len, types))


@pytest.mark.parametrize('count', [1, 2, 7, 20, 109, 110])
def test_a_part_is_closed_and_larger_parts_contain_it(count):
  names = {category.name for category in taxonomy.part(count)}
  assert len(names) == count
  for category in taxonomy.part(count):
    assert not category.parent or category.parent in names
    assert {other for _, other in category.relations} <= names
  if count > 1:
    assert {category.name for category in taxonomy.part(count - 1)} < names


def test_a_small_part_has_relations_too():
  assert sum(len(category.relations) for category in taxonomy.part(20)) >= 20


@pytest.mark.parametrize('count', [0, -1, 111])
def test_other_sizes_are_an_error(count):
  with pytest.raises(ValueError, match=f'{count} categories.*Give 1 to 110'):
    taxonomy.part(count)
