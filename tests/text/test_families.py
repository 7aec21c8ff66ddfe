"""Reading inverts saying, in every family of statements and every form."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.text import (
  categories,
  codebooks,
  comparisons,
  descriptions,
  inflection,
  lexicon,
  quantified,
  sentences,
  transforms,
)
from icl_gen.text.forms import persons, statements, taxonomy
from icl_gen.text.forms.split import PARTS
from icl_gen.types import Fact, World

words = st.sampled_from(lexicon.words(evaluation=True))
facts = {
  comparisons: st.builds(
    Fact,
    words,
    st.builds(
      '{} {}'.format,
      st.sampled_from(['more', 'less']),
      st.sampled_from([*itertools.chain(*statements.FEATURES)]),
    ),
    words,
  ),
  quantified: st.builds(
    Fact, words, st.sampled_from(quantified.QUANTIFIERS), words
  ),
  codebooks: st.builds(
    Fact,
    words,
    words.map(codebooks.calls) | words.map(codebooks.means),
    words,
  ),
}


@pytest.mark.parametrize('family', facts)
@given(data=st.data())
def test_a_fact_is_read_as_it_is_said(family, data):
  fact = data.draw(facts[family])
  said = family.said(fact)
  if family is not comparisons:
    said = family.said(fact, part=data.draw(st.sampled_from(PARTS)))
  assert family.read(said) == family.read(f'{said.upper()}!') == fact
  # Only whole statements are read.
  assert family.read(f'{said} and so on') is None
  assert family.read(f'it is false that {said}') is None


@pytest.mark.parametrize('family', facts)
@given(data=st.data())
def test_a_text_is_read_sentence_by_sentence(family, data):
  one, other = data.draw(facts[family]), data.draw(facts[family])
  preamble = data.draw(
    st.sampled_from([*itertools.chain(*statements.PREAMBLES)])
  )
  said = f'{preamble} {family.said(one)}. {family.said(other)}.'
  read = sentences.reader(family.read)
  assert read(said) == read(f'- {said}') == read(f'2) {said}') == (one, other)
  assert read(f'{said} And so on.') is None
  assert read(f'Is it so? {said}') is None


@pytest.mark.parametrize('part', PARTS)
@pytest.mark.parametrize('quantifier', quantified.QUANTIFIERS)
def test_every_paraphrase_is_read(quantifier, part):
  fact = Fact('glon', quantifier, 'troff')
  assert quantified.read(quantified.said(fact, part=part)) == fact
  for form in statements.PARAPHRASES[part][quantifier]:
    said = form.format(S='glon', P='troff')
    assert quantified.read(said) == fact
    assert not set(said.split()) & {*quantified.QUANTIFIERS, 'there'}


@given(
  relation=st.sampled_from(['is a', 'has', 'is']) | words,
  subject=words.map(inflection.plural),
  object_=words,
  flipped=st.booleans(),
  part=st.sampled_from(PARTS),
)
def test_every_form_of_a_category_is_read(
  relation, subject, object_, flipped, part
):
  if relation != 'is':
    object_ = inflection.plural(object_)
  fact = Fact(subject, relation, object_)
  told = categories.flip(fact) if flipped else fact
  assert categories.flip(categories.flip(told)) == told
  read = categories.reader(World('semantic', (fact,), ()))
  every = categories.forms(relation, reverse=flipped, part=part)
  said = [
    categories.in_form(told, lambda forms, i=i: forms[i], part=part)
    for i in range(len(every))
  ]
  for text in [*said, categories.reworded(told, part=part)]:
    assert read(categories.sentence(text)) == (told,), text
  for text in (said[0], categories.reworded(told, part=part)):
    assert text.endswith(f' {told.object}')
  # What opens texts asserts nothing.
  asked = categories.question(told, part=part)
  assert read(f'Q: {asked} A: {categories.sentence(said[0])}') == (told,)
  for style in taxonomy.HEADINGS[part]:
    heading = categories.heading(style, subject, part=part)
    assert read(f'{heading} {categories.sentence(said[0])}') == (told,)


@given(words)
def test_singular_inverts_plural(word):
  assert inflection.singular(inflection.plural(word)) == word


@pytest.mark.parametrize('part', PARTS)
@pytest.mark.parametrize('name_first', [True, False])
def test_every_phrasing_of_a_person_is_read(name_first, part):
  composer = descriptions.description(
    'humble',
    'composer',
    'opera',
    'Glomp',
    form=persons.DESCRIPTIONS[part][-1],
    verb='designed',
  )
  fact = Fact('Glon Vlaft', 'is', composer)
  fact = fact if name_first else Fact(fact.object, 'is', fact.subject)
  read = descriptions.reader(World('celebrity', (fact,), ()))
  table = persons.NAME_FIRST if name_first else persons.DESCRIPTION_FIRST
  for phrasing in table[part]:
    said = descriptions.fill(phrasing, name='Glon Vlaft', description=composer)
    assert read(said) == (fact,), said
  assert read(f'Glon Vlaft is not {composer}.') is None


def test_a_derivatoid_is_read_as_the_world_writes_it():
  fact = Fact('x^2', transforms.BECOMES, '2*cos(2*x)')
  read = transforms.reader(World('process', (fact,), ()))
  assert read(transforms.statement('(x ^ 2)', 'cos(2*x)*2')) == (fact,)
  other = Fact('x^2', transforms.BECOMES, '3*cos(2*x)')
  for part in PARTS:
    for rule in ('', 'power'):
      said = transforms.statement(
        other.subject, other.object, rule=rule, part=part
      )
      assert read(said) == (other,)
