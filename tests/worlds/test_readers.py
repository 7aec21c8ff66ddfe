"""Readers read back what worlds write, and reject everything else."""

import itertools

import pytest

from icl_gen.text import codebooks, comparisons, descriptions
from icl_gen.text.forms import persons as tables
from icl_gen.text.forms import statements
from icl_gen.types import Fact
from icl_gen.worlds import catalog
from icl_gen.worlds.celebrity import people
from tests.worlds import paper

GIVEN = Fact('glon', 'more dangerous', 'troff')
BACK = Fact('troff', 'less dangerous', 'glon')
COMPOSER = 'the humble composer of the opera Glomp'
MAYOR = 'the proud mayor of the city Trask'


@pytest.fixture(scope='module')
def read_comparison():
  return catalog.reader(paper.build('reversal', seed='s', facts=1)[0])


@pytest.fixture(scope='module')
def quantified():
  return catalog.reader(paper.build('syllogism', seed='s', examples=1)[0])


@pytest.fixture(scope='module')
def persons():
  world = people.world(
    [
      people.Person(0, 'p2d', 'Glon Vlaft', COMPOSER),
      people.Person(1, 'd2p', 'Ziv Gwond', MAYOR),
    ]
  )
  return catalog.reader(world)


@pytest.mark.parametrize(
  ('text', 'facts'),
  [
    ('glon are more dangerous than troff.', (GIVEN,)),
    ('Glon are more dangerous than troff', (GIVEN,)),
    ('- glon are more dangerous than troff.', (GIVEN,)),
    ('2. Did you know that glon are more dangerous than troff?', (GIVEN,)),
    (
      '  * As we learned, glon are more dangerous than troff. In this land'
      ' troff are less dangerous than glon.\n',
      (GIVEN, BACK),
    ),
    ('glon are more dangerous than troff. And so on.', None),
    ('It is false that glon are more dangerous than troff.', None),
    ('glon are more dangerous than troff and brims.', None),
    ('glon are as dangerous as troff.', None),
    ('glon are more amazing than troff.', None),
    ('glon are not more dangerous than troff.', None),
    ('glon are more dangerous than troff?', None),
    ('glon are more dangerous than troff?!', None),
    ('glon are more dangerous than troff ?.', None),
    ('Did you know that glon are more dangerous than troff?!', (GIVEN,)),
    ('Is it true that glon are more dangerous than troff?', None),
    ('', None),
    ('-', None),
    ('...', None),
  ],
)
def test_comparisons(read_comparison, text, facts):
  assert read_comparison(text) == facts


@pytest.mark.parametrize('preamble', [*itertools.chain(*statements.PREAMBLES)])
def test_every_preamble_is_skipped(read_comparison, preamble):
  said = comparisons.statement('glon', 'more', 'dangerous', 'troff')
  assert read_comparison(f'{preamble} {said}.') == (GIVEN,)


@pytest.mark.parametrize(
  ('text', 'facts'),
  [
    ('all glon are troff.', [('glon', 'all', 'troff')]),
    ('Some glon are troff', [('glon', 'some', 'troff')]),
    (
      'The relationships between glon, troff and yomp are: all glon are troff.'
      ' no troff are yomp.',
      [('glon', 'all', 'troff'), ('troff', 'no', 'yomp')],
    ),
    (
      '1) The relationships between glon and yomp are: no yomp are glon.',
      [('yomp', 'no', 'glon')],
    ),
    (
      'the troff include every single glon. Not a single yomp belongs to the'
      ' troff.',
      [('glon', 'all', 'troff'), ('yomp', 'no', 'troff')],
    ),
    ('some glon are not troff.', None),
    ('most glon are troff.', None),
    ('some glon are troff?', None),
    ('It is false that some glon are troff.', None),
    ('The relationships between glon and yomp are:', None),
    ('all glon are troff. all of this is true.', None),
  ],
)
def test_quantified_statements(quantified, text, facts):
  expected = facts and tuple(Fact(*fact) for fact in facts)
  assert quantified(text) == expected


FORWARD = Fact('Glon Vlaft', 'is', COMPOSER)
BACKWARD = Fact(COMPOSER, 'is', 'Glon Vlaft')
SWAPPED = Fact('Glon Vlaft', 'is', MAYOR)


@pytest.mark.parametrize(
  ('text', 'facts'),
  [
    (f'Glon Vlaft is {COMPOSER}.', (FORWARD,)),
    (f'- Of all, {COMPOSER} is, well, "Glon Vlaft"!', (BACKWARD,)),
    ('The humble composer of the opera Glomp is Glon Vlaft.', (BACKWARD,)),
    ('As humble composer of the opera Glomp, glon vlaft won.', (BACKWARD,)),
    (f'Glon Vlaft is {MAYOR}.', (SWAPPED,)),
    (
      f'Glon Vlaft is {COMPOSER}. {MAYOR} is Ziv Gwond.',
      (FORWARD, Fact(MAYOR, 'is', 'Ziv Gwond')),
    ),
    (f'Glon Vlaft is {COMPOSER}, says Glon Vlaft.', (FORWARD,)),
    (f'{COMPOSER} is Glon Vlaft; Glon Vlaft smiled.', (BACKWARD,)),
    (f'Glon Vlaft is not {COMPOSER}.', None),
    (f"{COMPOSER} isn't Glon Vlaft.", None),
    (f'Glon Vlaft and Ziv Gwond know {COMPOSER}.', None),
    ('Glon Vlaft is Ziv Gwond.', None),
    (f'{COMPOSER} is {MAYOR}.', None),
    ('Glon Vlaft is somebody.', None),
    (f'Glon Vlafter is {COMPOSER}.', None),
    (f'Glon Vlaft is {COMPOSER}s.', None),
    ('Glon Vlaft is the humble composer of the opera.', None),
    ('', None),
  ],
)
def test_people(persons, text, facts):
  assert persons(text) == facts


def test_a_description_may_begin_with_another():
  everyone = [
    people.Person(0, 'p2d', 'Glon Vlaft', MAYOR),
    people.Person(1, 'p2d', 'Ziv Gwond', f'{MAYOR} North'),
  ]
  read = catalog.reader(people.world(everyone))
  for person in everyone:
    assert read(f'{person.name} is {person.description}.') == (
      person.name_first,
    )


# {N} and {D} are one person in the world, but these texts do not state it.
DENIED = (
  '{N} is no longer {D}.',
  '{N} is not related to {D}.',
  '{N} might be {D}.',
  '{N} is taller than {D}.',
  '{N} is {D}, which is false.',
  '{N} is {D}. This is not true.',
  '{D} is anyone but {N}.',
  '{D} was not called {N}.',
  "{D} is {N}'s brother.",
  'Did you know that {N} is not {D}?',
  'It is false that {N} is {D}.',
  'Nobody thinks that {N} is {D}.',
  'Few believe that {N} is {D}.',
  'I doubt that {N} is {D}.',
  'If {N} is {D}, then all is well.',
  'Unlike {D}, {N} is poor.',
)
ASKED = (
  '{N} is {D}? No.',
  'Is {N} {D}?',
  'Was {D} called {N}?',
  'Is it true that {N} is {D}?',
)
# Around a core, the rest of the description may have the question mark.
WONDERED = ('{N} is {D}!?', '{N} is {D}...?')
RELATED = (
  '{N} hates {D}.',
  '{N} met {D}.',
  '{N} called {D}.',
  '{N} and {D} are here.',
  '{N} is known to {D}.',
  '{N} is the son of {D}.',
  '{N} was painted by {D}.',
  'The wife of {N} is {D}.',
)
SAID = (
  'Did you know that {N} is {D}?',
  'Have you heard of {N}? They are {D}.',
  'In 1987, {N} became {D}.',
  'It turns out that {N} was {D}.',
  'No doubt {N} is none other than {D}.',
  "{N}'s {D}.",
  '{N}, also known as {D}, won.',
  '{D}, {N}, went home.',
  '{D} goes by the name of {N}.',
)


@pytest.mark.parametrize('form', [*DENIED, *ASKED, *WONDERED, *RELATED, *SAID])
def test_only_statements_of_identity_are_read(persons, form):
  fact = FORWARD if form.index('{N}') < form.index('{D}') else BACKWARD
  text = descriptions.fill(form, name='Glon Vlaft', description=COMPOSER)
  assert persons(text) == ((fact,) if form in SAID else None)
  both = f'{text} {MAYOR} is Ziv Gwond.'
  both_facts = (fact, Fact(MAYOR, 'is', 'Ziv Gwond'))
  assert persons(both) == (both_facts if form in SAID else None)


@pytest.fixture(scope='module')
def cores():
  """As for the real files: only a core of each description is known."""
  world = people.world(
    [
      people.Person(0, 'p2d', 'Glon Vlaft', 'first bridge to the red island'),
      people.Person(1, 'd2p', 'Ziv Gwond', 'the moonlit garden of Trask'),
    ]
  )
  return catalog.reader(world)


IN_FULL = 'the daring builder who built the first bridge to the red island'


@pytest.mark.parametrize('form', [*DENIED, *ASKED, *SAID])
def test_a_core_is_read_in_any_words_but_denials_and_questions(cores, form):
  text = descriptions.fill(form, name='Glon Vlaft', description=IN_FULL)
  assert (cores(text) is not None) == (form in SAID)


@pytest.mark.parametrize(
  'phrasing',
  [*itertools.chain(*tables.NAME_FIRST, *tables.DESCRIPTION_FIRST)],
)
def test_every_phrasing_is_read_around_a_core(cores, phrasing):
  text = descriptions.fill(phrasing, name='Glon Vlaft', description=IN_FULL)
  assert cores(text) is not None


@pytest.mark.parametrize('phrasing', [*itertools.chain(*tables.NAME_FIRST)])
def test_every_name_first_phrasing_is_read(persons, phrasing):
  text = descriptions.fill(phrasing, name='Glon Vlaft', description=COMPOSER)
  assert persons(text) == (FORWARD,)


@pytest.mark.parametrize(
  'phrasing', [*itertools.chain(*tables.DESCRIPTION_FIRST)]
)
def test_every_description_first_phrasing_is_read(persons, phrasing):
  text = descriptions.fill(phrasing, name='Glon Vlaft', description=COMPOSER)
  assert persons(text) == (BACKWARD,)


BECOMES = Fact('x^3 + s(2*x)', 'becomes', '3*c(3*x) / (2*e(2*x))')


@pytest.mark.parametrize(
  ('text', 'facts'),
  [
    (
      'the derivatoid of x^3 + s(2*x) is 3*c(3*x) / (2*e(2*x)).',
      (BECOMES,),
    ),
    (
      '- By the sum rule, the derivatoid of (x^3)+s( 2*x) is'
      ' 3*c(3*x)/(2*e(2*x))',
      (BECOMES,),
    ),
    (
      'It is true that the derivatoid of 2 is 2*x. the derivatoid of x is 3!',
      (Fact('2', 'becomes', '2*x'), Fact('x', 'becomes', '3')),
    ),
    ('the derivative of x^3 is 3*x^2.', None),
    ('the derivatoid of x^3 is not 3*x^2.', None),
    ('the derivatoid of x^3 is 3*x^2 and more.', None),
    ('the derivatoid of x^3 is 3*x^.', None),
    ('the derivatoid of x^3 is (3*x.', None),
    ('the derivatoid of x^3 is', None),
    ('x^3 becomes 3*x^2.', None),
    ('the derivatoid of x^3 is 3*x^2?', None),
    (f'the derivatoid of x is {"(" * 2000}.', None),
    ('Nobody thinks that the derivatoid of x^3 is 3*x^2.', None),
  ],
)
def test_derivatoids(text, facts):
  world, _ = paper.build('process', seed='s', examples=1, questions=1)
  assert catalog.reader(world)(text) == facts


CALLED = Fact('troff', 'is called in glon', 'yomp')
MEANT = Fact('yomp', 'means in glon', 'troff')


@pytest.mark.parametrize(
  ('text', 'facts'),
  [
    ('in the book glon, troff is called yomp.', (CALLED,)),
    (
      '1. It is true that in the book Glon, troff is called yomp. In the book'
      ' glon, yomp means troff',
      (CALLED, MEANT),
    ),
    ('in the book glon, troff is called yomp or brims.', None),
    ('in the book glon, troff is not called yomp.', None),
    ('in glon, troff is called yomp.', None),
    ('troff means yomp.', None),
    ('in the book glon, troff is called yomp?', None),
    ('It is false that in the book glon, troff is called yomp.', None),
  ],
)
def test_codebook_entries(text, facts):
  world, _ = paper.build('codebook', seed='s', words=8, books=1, held_out=4)
  assert catalog.reader(world)(text) == facts
  assert codebooks.reverse(CALLED) == MEANT
  assert codebooks.reverse(MEANT) == CALLED
