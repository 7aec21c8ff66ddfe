"""Reversals: if glon are more dangerous than troff, troff are less dangerous.

Each entity occurs in one fact, and each fact is stated in one direction only.
The questions ask for the other direction; the wrong choice contradicts it.
"""

import random
from collections.abc import Sequence

from icl_gen.text import comparisons, lexicon, sentences
from icl_gen.text.forms.statements import FEATURES, PREAMBLES
from icl_gen.types import Corpus, Document, Fact, Question, World
from icl_gen.worlds import balance, corpora, logic, sizes
from icl_gen.worlds.definition import Definition, Wording

OPPOSITE = {'more': 'less', 'less': 'more'}
OPTIONS = {'forms': 'seen', 'balanced': False, 'swaps': False}


def build(
  *,
  seed: str,
  facts: int,
  documents_per_fact: int,
  forms: str = 'seen',
  balanced: bool = False,
  swaps: bool = False,
) -> tuple[World, Corpus]:
  """Draws the world and writes its documents and questions.

  Args:
    seed: name of the random draw; the same name gives the same bytes.
    facts: number of facts, with two entities each.
    documents_per_fact: documents that state a fact, each with another preamble.
    forms: the part of the tables that preambles and features are drawn from,
      one of `forms.split.PARTS`.
    balanced: whether every feature has as many facts with 'more' as with
      'less'. Otherwise the degree that a feature has more often, counting the
      fact itself, hints at the wrong answer of a reversal.
    swaps: whether to ask 'swap' questions too: a reversal whose degree is
      given, with one of two things to choose.

  Raises:
    ValueError: a size is not positive, the forms are unknown, the number of
      facts is odd and they are balanced, or there are too few facts, preambles
      or nonsense words.
  """
  sizes.require_forms('reversal', forms)
  preambles = PREAMBLES[forms]
  _check(facts, documents_per_fact, preambles, balanced=balanced, swaps=swaps)
  entities = lexicon.sample(2 * facts, seed=f'{seed}/entities')
  given: list[Fact] = []
  documents: list[Document] = []
  questions: list[Question] = []
  unused_preambles: list[str] = []
  for i in range(facts):
    one, other = entities[2 * i : 2 * i + 2]
    relate = _paired if balanced else _relation
    relation = relate(i, FEATURES[forms], seed=seed)
    fact = Fact(one, relation, other)
    shuffled = random.Random(f'{seed}/preambles/{i}').sample(
      preambles, len(preambles)
    )
    given.append(fact)
    documents += [
      Document(
        f'fact-{i:04d}-{j:02d}',
        f'{preamble} {comparisons.said(fact)}.',
        (fact,),
      )
      for j, preamble in enumerate(shuffled[:documents_per_fact])
    ]
    unused = shuffled[-1]
    for kind, asked in (('forward', fact), ('reversal', reverse(fact))):
      questions.append(_question(kind, i, unused, asked, fact, seed=seed))
    unused_preambles.append(unused)
  if swaps:
    questions += _swaps(given, unused_preambles, seed=seed)
  questions.sort(key=lambda question: question.kind)
  corpus = corpora.corpus(
    'reversal',
    documents,
    questions,
    world='reversal',
    seed=seed,
    sizes={
      'facts': facts,
      'documents_per_fact': documents_per_fact,
      **sizes.options(OPTIONS, forms=forms, balanced=balanced, swaps=swaps),
    },
  )
  return _world(given, FEATURES[forms]), corpus


def reverse(fact: Fact) -> Fact:
  """The same comparison, starting from the other entity."""
  degree, feature = fact.relation.split(' ')
  return Fact(fact.object, f'{OPPOSITE[degree]} {feature}', fact.subject)


def contradict(fact: Fact) -> Fact:
  """The opposite comparison of the same entities, in the same order."""
  degree, feature = fact.relation.split(' ')
  return Fact(fact.subject, f'{OPPOSITE[degree]} {feature}', fact.object)


def _check(
  facts: int,
  documents_per_fact: int,
  preambles: Sequence[str],
  *,
  balanced: bool,
  swaps: bool,
) -> None:
  sizes.require_positive('reversal', facts=facts)
  sizes.require_between(
    'reversal',
    least=1,
    most=len(preambles) - 1,
    why=f'the question about a fact needs one of the {len(preambles)}'
    ' preambles that no document about it has',
    documents_per_fact=documents_per_fact,
  )
  if balanced and facts % 2:
    raise ValueError(
      f'reversal with facts={facts}, balanced; give an even number'
    )
  if swaps and facts < 2:
    raise ValueError(f'reversal with facts={facts}, swaps; give 2 or more')


def _relation(i: int, features: Sequence[str], *, seed: str) -> str:
  """The relation of a fact: features and degrees even, but not together."""
  feature = balance.nth(features, i, seed=f'{seed}/features')
  degree = balance.nth(tuple(OPPOSITE), i, seed=f'{seed}/degrees')
  return f'{degree} {feature}'


def _paired(i: int, features: Sequence[str], *, seed: str) -> str:
  """The same, but two facts in succession have opposite relations."""
  pair, second = divmod(i, 2)
  degree, feature = _relation(pair, features, seed=seed).split(' ')
  return f'{OPPOSITE[degree] if second else degree} {feature}'


def _swaps(
  given: Sequence[Fact], preambles: Sequence[str], *, seed: str
) -> list[Question]:
  """Asks which of two things a reversal is about.

  The wrong one starts another fact, as the right one does: about the same
  feature, if there is one.
  """
  questions = []
  for i, (fact, preamble) in enumerate(zip(given, preambles, strict=True)):
    asked, feature = reverse(fact), fact.relation.split(' ')[1]
    others = [f.subject for f in given if f != fact]
    alike = [
      f.subject
      for f in given
      if f != fact and f.relation.split(' ')[1] == feature
    ]
    wrong = random.Random(f'{seed}/swap/wrong/{i}').choice(alike or others)
    choices, answers = balance.arrange(
      [f' {asked.object}.'], [f' {wrong}.'], index=i, seed=f'{seed}/swap'
    )
    questions.append(
      Question(
        id=f'swap-{i:04d}',
        prompt=f'{preamble} {comparisons.said(asked)}'.removesuffix(
          f' {asked.object}'
        ),
        choices=choices,
        answers=answers,
        kind='swap',
        premises=(fact,),
        target=asked,
      )
    )
  return questions


def _question(
  kind: str, i: int, preamble: str, asked: Fact, given: Fact, *, seed: str
) -> Question:
  prompt = f'{preamble} {asked.subject} are'
  choices, answers = balance.arrange(
    [_choice(asked)],
    [_choice(contradict(asked))],
    index=i,
    seed=f'{seed}/{kind}',
  )
  return Question(
    id=f'{kind}-{i:04d}',
    prompt=prompt,
    choices=choices,
    answers=answers,
    kind=kind,
    premises=(given,),
    target=asked,
  )


def _choice(fact: Fact) -> str:
  """' more dangerous than troff.', which completes '... glon are'."""
  return comparisons.said(fact).removeprefix(f'{fact.subject} are') + '.'


def _world(given: list[Fact], features: Sequence[str]) -> World:
  rules = [
    rule
    for feature in features
    for rule in logic.inverse(f'more {feature}', f'less {feature}')
  ]
  entailed = logic.closure(given, rules)
  true = [*given, *(entailment.fact for entailment in entailed)]
  return World(
    name='reversal',
    facts=tuple(given),
    entailed=entailed,
    contradicted=frozenset(contradict(fact) for fact in true),
  )


def _wording(forms: str) -> Wording:
  """Single comparisons, with any of the preambles in other words."""
  return Wording(
    plain=lambda fact: (f'{comparisons.said(fact)}.',),
    other=lambda fact: tuple(
      f'{preamble} {comparisons.said(fact)}.' for preamble in PREAMBLES[forms]
    ),
    bare=lambda fact: comparisons.worded(fact, part=forms),
    openings=lambda document, fact: (_preamble(document),),
    read=sentences.reader(comparisons.read_worded),
  )


def _preamble(document: Document) -> str:
  (fact,) = document.facts
  return document.text.removesuffix(f' {comparisons.said(fact)}.')


DEFINITION = Definition(
  about=__doc__,
  build=build,
  sizes={
    'paper': {'facts': 100, 'documents_per_fact': 10},
    'nano': {'facts': 40, 'documents_per_fact': 3},
  },
  reader=lambda world: sentences.reader(comparisons.read),
  said=comparisons.said,
  stated=frozenset({'forward'}),
  wording=_wording,
)
