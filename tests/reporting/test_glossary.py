"""Every term in a report on our worlds is explained in it."""

from configs import study
from icl_gen.reporting import glossary, records, statistics
from icl_gen.worlds import catalog


def test_every_name_is_explained():
  assert set(glossary.WORLDS) == set(catalog.WORLDS)
  assert set(glossary.CONDITIONS) == set(records.CONDITIONS)
  assert set(glossary.VERDICTS) == set(records.VERDICTS)
  assert tuple(glossary.MEASURES) == statistics.MEASURES


def test_every_kind_and_stratum_of_generated_worlds_is_explained():
  for world, sizes in catalog.SIZES.items():
    _, corpus = catalog.build(world, seed=0, **sizes['nano'])
    for question in corpus.questions:
      assert question.kind in glossary.KINDS
      # In `process`, strata are names of rules.
      if question.stratum and world != 'process':
        assert question.stratum in glossary.STRATA


def test_used_words_keep_the_order():
  words = {'a': '1', 'b': '2', 'c': '3'}
  assert glossary.entries(words, {'c', 'a', 'x'}) == [('a', '1'), ('c', '3')]


def test_main_panels_have_plain_titles_in_reading_order():
  main = study.get_config().main_kinds
  worlds = [
    'process',
    'other',
    'semantic',
    'syllogism',
    'celebrity',
    'reversal',
  ]
  titles = [
    glossary.panel_title(world, main.get(world, 'a_b:c'))
    for world in sorted(worlds, key=glossary.reading_order)
  ]
  assert titles == [
    'Reversed comparisons',
    'Name from description',
    'Syllogisms',
    'Reversals in a taxonomy',
    'Unseen rule combinations',
    'Other: a b',
  ]
