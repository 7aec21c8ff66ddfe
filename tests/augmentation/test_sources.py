"""Controls state what their source says, and nothing else."""

import collections
import dataclasses

import pytest

from icl_gen.augmentation import audit, sources
from icl_gen.augmentation.sources import SOURCES, Given
from icl_gen.types import Document, Entailment, Fact, World
from icl_gen.worlds import catalog, logic

SIZES = {
  'reversal': {'facts': 12, 'documents_per_fact': 3},
  'syllogism': {'examples': 16},
  'reversal_forms': {'facts': 12, 'documents_per_fact': 3},
  'syllogism_forms': {'examples': 16},
}


def given(
  name='reversal', *, share=1.0, wordings='one', openings='none', **changes
):
  size = SIZES[name] | changes
  world, corpus = catalog.build(name, seed=0, **size)
  return Given(
    world=world,
    documents=corpus.documents,
    wording=lambda: catalog.wording(name, size),
    seed='s',
    share=share,
    wordings=wordings,
    openings=openings,
  )


def facts(of, text):
  (fact,) = catalog.reader(of.world)(text)
  return fact


@pytest.mark.parametrize('name', SIZES)
def test_the_oracle_states_the_closure(name):
  of = given(name)
  stated = collections.Counter()
  for statement in SOURCES['oracle'](of):
    # All wordings state the same.
    (fact,) = {facts(of, text) for text in statement.texts}
    stated[fact] += 1
  assert stated == collections.Counter(e.fact for e in of.world.entailed)


@pytest.mark.parametrize('name', SIZES)
def test_reworded_is_the_oracle_in_more_words(name):
  of = given(name, share=0.5)
  for plain, statement in zip(
    SOURCES['oracle'](of), SOURCES['reworded'](of), strict=True
  ):
    assert (statement.name, statement.parent) == (plain.name, plain.parent)
    assert set(plain.texts) < set(statement.texts)
    (fact,) = {facts(of, text) for text in statement.texts}
    assert fact == facts(of, plain.texts[0])


def phrased(name, **settings):
  of = given(name, share=0.5, **settings)
  return of, SOURCES['phrased'](of)


@pytest.mark.parametrize('name', SIZES)
@pytest.mark.parametrize('openings', ['none', 'one', 'several'])
@pytest.mark.parametrize('wordings', ['one', 'several'])
def test_all_that_is_phrased_states_what_the_oracle_does(
  name, wordings, openings
):
  of, found = phrased(name, wordings=wordings, openings=openings)
  read = of.wording().read
  for plain, statement in zip(SOURCES['oracle'](of), found, strict=True):
    assert (statement.name, statement.parent) == (plain.name, plain.parent)
    (fact,) = {fact for text in statement.texts for fact in read(text)}
    assert fact == facts(of, plain.texts[0])
    assert len(set(statement.texts)) == len(statement.texts)


@pytest.mark.parametrize('name', SIZES)
def test_wordings_and_openings_vary_alone(name):
  # setting -> the texts of each statement.
  texts = {
    (wordings, openings): [
      one.texts
      for one in phrased(name, wordings=wordings, openings=openings)[1]
    ]
    for wordings in ('one', 'several')
    for openings in ('none', 'one', 'several')
  }
  for i, (bare,) in enumerate(texts['one', 'none']):
    wordings = texts['several', 'none'][i]
    assert wordings[0] == bare and len(wordings) > 2
    (opened,) = texts['one', 'one'][i]
    assert opened.endswith(f' {bare}')
    opening = opened.removesuffix(bare)
    assert texts['several', 'one'][i] == tuple(opening + w for w in wordings)
    openings = [t.removesuffix(bare) for t in texts['one', 'several'][i]]
    assert openings[0] == opening and len(openings) > 1
    assert set(texts['several', 'several'][i]) == {
      o + w for o in openings for w in wordings
    }


def test_openings_are_those_of_documents_about_the_fact():
  of, found = phrased('reversal', openings='several')
  text_of = {document.id: document.text for document in of.documents}
  for statement in found:
    # fact-0003-01: the second document about the fourth fact.
    about = statement.parent.rpartition('-')[0]
    documents = [text for id, text in text_of.items() if id.startswith(about)]
    bare = SOURCES['oracle'](of)[found.index(statement)].texts[0]
    openings = [text.removesuffix(bare) for text in statement.texts]
    assert len(openings) == len(documents)
    for opening, document in zip(openings, documents, strict=True):
      assert document.startswith(opening)


@pytest.mark.parametrize('name', ['reversal', 'reversal_forms'])
def test_what_is_phrased_repeats_no_question_as_what_is_reworded_does(name):
  _, corpus = catalog.build(name, seed=0, **SIZES[name])
  asked = {
    question.prompt + question.choices[answer]
    for question in corpus.questions
    for answer in question.answers
  }

  def texts(source, **settings):
    of = given(name, **settings)
    return {text for one in SOURCES[source](of) for text in one.texts}

  assert asked & texts('reworded')
  assert not asked & texts('phrased', wordings='several', openings='several')


def test_inferences_are_read_in_the_plain_wording_only():
  of = given('reversal', wordings='several')
  for statement in SOURCES['phrased'](of):
    plain, *others = statement.texts
    assert catalog.reader(of.world)(plain) == of.wording().read(plain)
    assert not any(map(catalog.reader(of.world), others))


@pytest.mark.parametrize('name', SIZES)
def test_what_is_made_false_is_false_about_the_same_things(name):
  of = given(name)
  judge = audit.auditor(of.world)
  for statement in SOURCES['oracle'](of):
    for text, false in zip(statement.texts, statement.false, strict=True):
      true, wrong = facts(of, text), facts(of, false)
      assert judge([wrong]).label in ('contradicted', 'unknown')
      assert {true.subject, true.object} == {wrong.subject, wrong.object}


def test_what_the_world_excludes_comes_first():
  of = given('reversal')
  false_like = sources.falsifier(of.world)
  for entailment in of.world.entailed:
    assert false_like(entailment.fact) in of.world.contradicted


def test_what_is_true_is_passed_over():
  fact, converse = Fact('a', 'r', 'b'), Fact('b', 'r', 'a')
  entailed = (Entailment(converse, (fact,), 1),)
  with pytest.raises(ValueError, match='no false statements like .*all are tr'):
    sources.falsifier(World('w', (fact,), entailed))(converse)
  other = Fact('c', 's', 'd')
  assert sources.falsifier(World('w', (fact, other), entailed))(
    converse
  ) == Fact('b', 's', 'a')
  assert sources.falsifier(World('w', (fact, other), ()))(fact) == converse


@pytest.mark.parametrize('name', SIZES)
def test_a_greater_share_has_a_smaller_one_and_leaves_out_equivalents(name):
  entailed = {
    f'entailed-{i:04d}': frozenset(e.premises)
    for i, e in enumerate(given(name).world.entailed)
  }
  sets = [
    {statement.name for statement in SOURCES['oracle'](given(name, share=s))}
    for s in (0.01, 0.2, 0.4, 1.0)
  ]
  for few, many in zip(sets, sets[1:], strict=False):
    assert few < many
  for told in sets:
    premises = {entailed[one] for one in told}
    assert told == {one for one in entailed if entailed[one] in premises}
  number = len(set(entailed.values()))
  assert len({entailed[one] for one in sets[2]}) == round(0.4 * number)
  assert len({entailed[one] for one in sets[0]}) == 1
  assert sets[3] == set(entailed)


@pytest.mark.parametrize('name', SIZES)
def test_paraphrases_state_the_given_facts_in_other_words(name):
  of = given(name)
  said = {document.text for document in of.documents}
  statements = SOURCES['paraphrases'](of)
  assert [
    {facts(of, text) for text in statement.texts} for statement in statements
  ] == [{fact} for fact in of.world.facts]
  assert not said & {text for one in statements for text in one.texts}


def test_there_may_be_no_other_words():
  of = given(facts=1)
  (fact,) = of.world.facts
  said = tuple(
    Document(f'd{i}', text, (fact,))
    for i, text in enumerate(of.wording().other(fact))
  )
  with pytest.raises(ValueError, match='no paraphrases of .*fewer documents'):
    SOURCES['paraphrases'](dataclasses.replace(of, documents=said))


@pytest.mark.parametrize('name', SIZES)
def test_wrong_pairs_keep_the_form_and_are_never_true(name):
  of = given(name)
  true = set(logic.true_facts(of.world))
  wrong = [facts(of, s.texts[0]) for s in SOURCES['wrong_pairs'](of)]
  right = [entailment.fact for entailment in of.world.entailed]
  assert not true & set(wrong)
  assert all(one.subject != one.object for one in wrong)
  assert [(one.subject, one.relation) for one in wrong] == [
    (one.subject, one.relation) for one in right
  ]
  assert {one.object for one in wrong} <= {one.object for one in right}


def test_wrong_pairs_need_others():
  with pytest.raises(ValueError, match='wrong pairs for .*a larger world'):
    SOURCES['wrong_pairs'](given(facts=1))


@pytest.mark.parametrize('name', SIZES)
def test_every_statement_is_about_a_given_document(name):
  of = given(name)
  ids = {document.id for document in of.documents}
  for source in SOURCES.values():
    statements = source(of)
    assert {statement.parent for statement in statements} <= ids
    names = [statement.name for statement in statements]
    assert len(set(names)) == len(names)
    assert source(of) == statements


def test_a_world_without_wordings_has_originals_only():
  size = catalog.SIZES['codebook']['nano']
  world, corpus = catalog.build('codebook', seed=0, **size)
  of = Given(
    world, corpus.documents, lambda: catalog.wording('codebook', size), seed='s'
  )
  assert [s.texts for s in SOURCES['originals'](of)] == [
    (document.text,) for document in corpus.documents
  ]
  for source in set(SOURCES) - {'originals'}:
    with pytest.raises(ValueError, match="'codebook' has no wording.*reversal"):
      SOURCES[source](of)
