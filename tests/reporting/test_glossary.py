"""Whatever a report of our worlds says is explained in it."""

from icl_gen.reporting import glossary, records, statistics
from icl_gen.worlds import catalog


def test_every_name_has_its_line():
  assert set(glossary.WORLDS) == set(catalog.WORLDS)
  assert set(glossary.CONDITIONS) == set(records.CONDITIONS)
  assert set(glossary.VERDICTS) == set(records.VERDICTS)
  assert tuple(glossary.MEASURES) == statistics.MEASURES


def test_every_kind_and_stratum_of_the_drawn_worlds_has_its_line():
  for world, sizes in catalog.SIZES.items():
    _, corpus = catalog.build(world, seed=0, **sizes['nano'])
    for question in corpus.questions:
      assert question.kind in glossary.KINDS
      # Strata of derivatoids are the names of rules.
      if question.stratum and world != 'process':
        assert question.stratum in glossary.STRATA


def test_used_words_are_told_in_order():
  words = {'a': '1', 'b': '2', 'c': '3'}
  assert glossary.entries(words, {'c', 'a', 'x'}) == [('a', '1'), ('c', '3')]
