"""Reversals: if glon are more dangerous than troff, troff are less dangerous.

Each entity occurs in one fact, and each fact is stated in one direction only.
The questions ask for the other direction; the wrong choice contradicts it.
"""

import random

from icl_gen.text import comparisons, lexicon, preambles, sentences
from icl_gen.types import Corpus, Document, Fact, Question, World
from icl_gen.worlds import balance, corpora, logic, sizes
from icl_gen.worlds.definition import Definition

OPPOSITE = {'more': 'less', 'less': 'more'}


def build(
  *, seed: str, facts: int, documents_per_fact: int
) -> tuple[World, Corpus]:
  """Draws the world and writes its documents and questions.

  Args:
    seed: name of the random draw; the same name gives the same bytes.
    facts: number of facts, with two entities each.
    documents_per_fact: documents that state a fact, each with another preamble.

  Raises:
    ValueError: a size is not positive, or there are too few preambles or
      nonsense words.
  """
  sizes.require_positive('reversal', facts=facts)
  sizes.require_between(
    'reversal',
    least=1,
    most=len(preambles.PREAMBLES) - 1,
    why=f'the question about a fact needs one of the {len(preambles.PREAMBLES)}'
    ' preambles that no document about it has',
    documents_per_fact=documents_per_fact,
  )
  entities = lexicon.sample(2 * facts, seed=f'{seed}/entities')
  given: list[Fact] = []
  documents: list[Document] = []
  questions: list[Question] = []
  for i in range(facts):
    fact = _fact(entities[2 * i], entities[2 * i + 1], i, seed=seed)
    shuffled = random.Random(f'{seed}/preambles/{i}').sample(
      preambles.PREAMBLES, len(preambles.PREAMBLES)
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
  questions.sort(key=lambda question: question.kind)
  corpus = corpora.corpus(
    'reversal',
    documents,
    questions,
    world='reversal',
    seed=seed,
    sizes={'facts': facts, 'documents_per_fact': documents_per_fact},
  )
  return _world(given), corpus


def reverse(fact: Fact) -> Fact:
  """The same comparison, starting from the other entity."""
  degree, feature = fact.relation.split(' ')
  return Fact(fact.object, f'{OPPOSITE[degree]} {feature}', fact.subject)


def contradict(fact: Fact) -> Fact:
  """The opposite comparison of the same entities, in the same order."""
  degree, feature = fact.relation.split(' ')
  return Fact(fact.subject, f'{OPPOSITE[degree]} {feature}', fact.object)


def _fact(one: str, other: str, i: int, *, seed: str) -> Fact:
  feature = balance.nth(comparisons.FEATURES, i, seed=f'{seed}/features')
  degree = balance.nth(tuple(OPPOSITE), i, seed=f'{seed}/degrees')
  return Fact(one, f'{degree} {feature}', other)


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


def _world(given: list[Fact]) -> World:
  rules = [
    rule
    for feature in comparisons.FEATURES
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


DEFINITION = Definition(
  about=__doc__,
  build=build,
  sizes={
    'paper': {'facts': 100, 'documents_per_fact': 10},
    'nano': {'facts': 40, 'documents_per_fact': 3},
  },
  reader=lambda world: sentences.reader(comparisons.read),
  stated=frozenset({'forward'}),
)
