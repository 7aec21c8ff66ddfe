"""The semantic world: one direction stated, fair choices, right inferences."""

import collections
import contextlib
import hashlib
import os
import re
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.augmentation import audit
from icl_gen.text import categories, context, inflection, lexicon, tokens
from icl_gen.types import Fact, World
from icl_gen.worlds import baselines, catalog, logic
from icl_gen.worlds.semantic import documents, questions
from icl_gen.worlds.semantic import world as semantic
from tests.worlds import paper as sized

NANO = catalog.SIZES['semantic']['nano']
INFERRED = ('reversal', 'syllogism', 'deduction', 'holdout')

any_small_world = given(
  seed=st.text(max_size=4),
  size=st.integers(8, 24),
  laps=st.integers(1, 3),
  told_backwards=st.sampled_from((0.0, 0.3)),
  style=st.sampled_from(documents.STYLES),
)


@pytest.fixture(scope='module')
def paper():
  return sized.build('semantic', seed='semantic/0')


@pytest.fixture(scope='module')
def nano():
  return sized.build('semantic', seed='semantic/0', **NANO)


def small(seed, size, laps, told_backwards, style):
  return sized.build(
    'semantic',
    seed=seed,
    categories=size,
    documents=laps * size,
    holdouts=1,
    told_backwards=told_backwards,
    questions=20,
    style=style,
  )


def check(world, corpus):
  """Audits a whole corpus."""
  read = catalog.reader(world)
  given_facts = set(world.facts)
  entailed = {entailment.fact: entailment for entailment in world.entailed}
  assert len(given_facts) == len(world.facts)
  assert not given_facts & set(entailed)
  assert not world.contradicted & (given_facts | set(entailed))
  text = '\n'.join(document.text for document in corpus.documents)
  sentences = set(re.split(r'(?<=[.!?])\s+', text))

  stated = set()
  for document in corpus.documents:
    facts = read(document.text)
    assert facts == document.facts, document
    stated.update(facts)
  assert stated == given_facts  # so no fact is stated in the other direction
  for fact in world.facts:
    assert categories.flip(fact) in entailed
    assert categories.sentence(categories.said(fact)) in sentences

  targets = collections.Counter()
  for question in corpus.questions:
    targets[question.kind, question.target] += 1
    assert len(question.choices) == 4 and len(question.answers) == 1
    assert set(question.premises) <= given_facts
    assert (question.target in given_facts) == (question.kind == 'rephrase')
    if question.target in entailed:
      assert question.premises == entailed[question.target].premises
    for i, choice in enumerate(question.choices):
      assert question.prompt + choice not in text
      ((said,),) = [read(question.prompt + choice)]
      assert (said == question.target) == (i in question.answers)
      assert (said in given_facts or said in entailed) == (
        i in question.answers
      )
      # True of another category.
      assert any(
        (fact.relation, fact.object) == (said.relation, said.object)
        for fact in (*world.facts, *entailed)
      )
  assert set(targets.values()) == {1}
  check_kinds(corpus, given_facts)


def check_kinds(corpus, given_facts):
  """Every kind of question needs the inference it is named after."""
  for question in corpus.questions:
    target, premises = question.target, question.premises
    one = categories.base(target.relation) in ('has', 'is')
    assert question.stratum == ('property' if one else 'relation')
    if question.kind in ('rephrase', 'reversal'):
      flipped = categories.flip(target)
      assert premises == ((target if target in given_facts else flipped),)
      continue
    assert not categories.is_inverse(target.relation)
    alone = [f for f in given_facts if target.subject in (f.subject, f.object)]
    if question.kind == 'holdout':
      (above,) = alone
      assert categories.base(above.relation) == 'is a'
      continue
    if question.kind == 'syllogism':
      assert len(premises) == 2
    else:
      assert question.kind == 'deduction' and len(premises) > 2
    assert not any(categories.is_inverse(p.relation) for p in premises)
    assert premises_chain(premises, target)


def premises_chain(premises, target):
  """Whether the premises lead from subject to object, link by link."""
  after = {premise.subject: premise for premise in premises}
  here = target.subject
  for _ in premises:
    link = after.pop(here)
    here = link.object
  return here == target.object and link.relation == target.relation


@any_small_world
@settings(max_examples=15, deadline=None)
def test_small_worlds_pass_their_audit(**size):
  check(*small(**size))


def test_the_paper_and_nano_sizes_pass_their_audit(paper, nano):
  check(*paper)
  check(*nano)


def test_paper_counts(paper):
  world, corpus = paper
  manifest = corpus.manifest
  assert manifest['documents'] == len(corpus.documents) == 2200
  assert (manifest['categories'], manifest['holdouts']) == (110, 11)
  assert manifest['facts'] == len(world.facts)
  assert set(manifest['chance'].values()) == {0.25}
  kinds = collections.Counter(question.kind for question in corpus.questions)
  assert manifest['questions'] == kinds
  assert set(kinds) == set(questions.KINDS)
  assert all(kinds[kind] >= 90 for kind in kinds)
  strata = collections.Counter((q.kind, q.stratum) for q in corpus.questions)
  assert len(strata) == 2 * len(kinds) and min(strata.values()) >= 10
  named = {f.subject for f in world.facts if f.relation == 'is a'}
  named |= {f.object for f in world.facts if f.relation == 'includes'}
  assert len(named) == 108  # two are at the top
  for document in corpus.documents:
    assert 4 <= len(re.findall(r'[.?](?=\s|$)', document.text)) <= 20


@pytest.mark.parametrize('size', ['paper', 'nano'])
def test_positions_do_not_give_the_answer_away(size, request):
  _, corpus = request.getfixturevalue(size)
  places = collections.defaultdict(collections.Counter)
  for question in corpus.questions:
    places[question.kind, question.stratum][question.answers[0]] += 1
  for counts in places.values():
    assert all(abs(counts[i] - counts.total() / 4) < 1 for i in range(4))


def test_a_small_world_fits_into_one_context(nano, pytestconfig):
  tokenizer = tokens.load(
    pytestconfig.rootpath / 'icl_gen/assets/tokenizer.model'
  )
  world, corpus = nano
  every = context.build(corpus.documents, seed='s', factor=4)
  assert len(every.documents) == 20
  shown = [d for d in corpus.documents if d.id in every.documents]
  assert {fact for d in shown for fact in d.facts} == set(world.facts)
  assert len(tokenizer.encode(every.text)) < 2000


@pytest.mark.parametrize('size', ['paper', 'nano'])
def test_wording_gives_no_inference_away(size, request):
  """The baselines are near chance, except where the answer is stated."""
  _, corpus = request.getfixturevalue(size)
  matched = baselines.longest_match(corpus)
  assert matched['rephrase'] == 1
  for found in (matched, *(baselines.ngram(corpus, order=n) for n in (3, 4))):
    assert all(abs(found[kind] - 0.25) < 0.05 for kind in INFERRED), found
  # Bigrams see one word of the prompt, and some words are in several forms.
  found = baselines.ngram(corpus, order=2)
  assert all(abs(found[kind] - 0.25) < 0.1 for kind in questions.KINDS), found
  # Taking the least likely choice does not help either.
  merit = baselines.ngram_merit((d.text for d in corpus.documents), order=4)
  found = baselines.accuracy(corpus.questions, lambda p, c: -merit(p, c))
  assert all(abs(found[kind] - 0.25) < 0.1 for kind in INFERRED), found


def test_the_closure_is_fast(paper):
  world, _ = paper
  start = time.process_time()
  found = logic.closure(world.facts, semantic.rules(world.facts))
  assert time.process_time() - start < 2
  assert found == world.entailed


def test_a_category_belongs_to_its_ancestors_only(nano):
  world, _ = nano
  true = {*world.facts, *(e.fact for e in world.entailed)}
  nouns = {f.subject for f in world.facts}
  for one in nouns:
    for other in nouns:
      fact = Fact(one, 'is a', other)
      assert (fact in true) != (fact in world.contradicted)


def test_the_audit_judges_generated_text(nano):
  world, _ = nano
  read, judge = catalog.reader(world), audit.auditor(world)
  child = next(
    e for e in world.entailed if e.fact.relation == 'is a' and e.hops == 1
  )
  one, other = child.fact.subject, child.fact.object
  last = world.facts[-1]
  for text, label, hops in (
    (categories.said(last), 'stated', 0),
    (categories.said(categories.flip(last)), 'entailed', 1),
    (f'Every {inflection.singular(one)} is a type of {other}', 'unparsed', 0),
    (f'{one} are a type of {other}', 'entailed', 1),
    (f'{other} include {one}', 'entailed', 2),
    (f'{other} are a type of {one}', 'contradicted', 0),
    (f'{one} have gruds', 'unknown', 0),
    (f'{one} eat {other}', 'unparsed', 0),
  ):
    facts = read(categories.sentence(text))
    assert judge(facts) == audit.Verdict(label, hops), text


@pytest.mark.parametrize('relation', ['is a', 'has', 'is', 'blim'])
@pytest.mark.parametrize('reverse', [False, True])
def test_every_form_is_read(relation, reverse):
  fact = Fact('gruds', relation, 'flomp' if relation == 'is' else 'shaxes')
  world = World('semantic', (fact,), ())
  read = catalog.reader(world)
  stated = categories.flip(fact) if reverse else fact
  assert categories.flip(categories.flip(stated)) == stated
  forms = categories.forms(relation, reverse=reverse)
  for form in forms:
    statement = categories.fill(
      form, fact.relation, fact.subject, fact.object, reverse=reverse
    )
    assert '{' not in statement
    assert read(categories.sentence(statement)) == (stated,)
  assert categories.said(stated) == categories.statement(
    fact.relation, fact.subject, fact.object, reverse=reverse
  )


def test_plain_sentences_by_hand():
  for fact, said in (
    (Fact('gruds', 'is a', 'flomps'), 'gruds are a type of flomps'),
    (Fact('flomps', 'includes', 'gruds'), 'flomps include gruds'),
    (Fact('wicks', 'found on', 'gruds'), 'wicks are found on gruds'),
    (
      Fact('grack', 'describes', 'gruds'),
      'things that are grack include gruds',
    ),
    (Fact('gruds', 'blim', 'flomps'), 'gruds blim flomps'),
    (Fact('flomps', 'blimed by', 'gruds'), 'flomps are blimed by gruds'),
  ):
    assert categories.said(fact) == said


def test_words_are_inflected_and_distinct(paper):
  world, _ = paper
  for word in lexicon.words(evaluation=True):
    assert inflection.singular(inflection.plural(word)) == word
  words = set()
  for fact in world.facts:
    if categories.is_inverse(fact.relation):
      fact = categories.flip(fact)
    words.add(inflection.singular(fact.subject))
    if fact.relation == 'is':
      words.add(fact.object)
    else:
      words.add(inflection.singular(fact.object))
      words |= {fact.relation} - {'is a', 'has'}
  assert all(lexicon.is_evaluation(w) and 4 <= len(w) <= 5 for w in words)
  assert len(words) > 200


@pytest.mark.parametrize(
  ('size', 'message'),
  [
    ({'categories': 111}, '111 categories.*has 110'),
    ({'categories': 1}, '11 holdouts of 1 categories.*Give 0 to 0'),
    ({'categories': 1, 'holdouts': 0}, 'too small to ask'),
    ({'holdouts': 100}, '100 holdouts of 110.*more categories'),
    ({'documents': 109}, '109 documents for 110.*Give 110'),
    ({'told_backwards': 1.5}, 'told_backwards=1.5; allowed is 0 to 1'),
    ({'style': 'fancy'}, "'fancy'; allowed are .*'plain', 'varied'"),
  ],
)
def test_impossible_sizes_are_an_error(size, message):
  with pytest.raises(ValueError, match=message):
    sized.build('semantic', seed='s', **size)


@given(st.integers(1, 7), st.integers(0, 2), st.text(max_size=3))
@settings(max_examples=20, deadline=None)
def test_the_smallest_worlds_are_right_or_an_error(size, holdouts, seed):
  with contextlib.suppress(ValueError):
    check(
      *sized.build(
        'semantic',
        seed=seed,
        categories=size,
        documents=size,
        holdouts=holdouts,
      )
    )
    return
  with pytest.raises(ValueError, match='too small to ask|holdouts of'):
    sized.build(
      'semantic', seed=seed, categories=size, documents=size, holdouts=holdouts
    )


BYTES = """
import hashlib
from tests.worlds import paper as sized
world, corpus = sized.build('semantic', seed='semantic/0')
world = world.facts, world.entailed, sorted(world.contradicted)
print(hashlib.sha256(repr((world, corpus)).encode()).hexdigest())
"""


def test_the_world_does_not_depend_on_the_hash_seed_of_the_process(paper):
  world, corpus = paper
  world = world.facts, world.entailed, sorted(world.contradicted)
  here = hashlib.sha256(repr((world, corpus)).encode()).hexdigest()
  there = subprocess.run(
    [sys.executable, '-c', BYTES],
    env=os.environ | {'PYTHONHASHSEED': '1'},
    capture_output=True,
    check=True,
    text=True,
  )
  assert there.stdout.strip() == here


def test_words_depend_on_the_seed_and_not_on_the_size(nano):
  larger, _ = sized.build(
    'semantic', seed='semantic/0', **NANO | {'categories': 24}
  )
  other, _ = sized.build('semantic', seed='semantic/1', **NANO)
  assert larger.facts[0] == nano[0].facts[0]
  assert other.facts[0] != nano[0].facts[0]
