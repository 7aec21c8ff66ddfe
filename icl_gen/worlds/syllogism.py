"""Syllogisms: two premises over three nonsense kinds, and what follows.

Validity is decided by checking every model: a kind may be empty (no
existential import), so 'all A are B' does not entail 'some A are B'. Used are
the forms whose valid conclusions about the end terms, among the six statements
{all, some, no} x two directions, are one statement or the two directions of
one symmetric statement ('some A are C' and 'some C are A' say the same).
"""

import collections
import dataclasses
import functools
import itertools
import random

from icl_gen.text import lexicon, quantified
from icl_gen.types import Corpus, Document, Entailment, Fact, Question, World
from icl_gen.worlds import balance, corpora

Statement = tuple[str, str, str]  # quantifier, subject, predicate

# A model says which of the 2^3 combinations of membership in (A, B, C) have
# members; there are 2^8 models.
_TYPES = tuple(itertools.product((False, True), repeat=3))
_TERMS = ('A', 'B', 'C')
STYLES = ('plain', 'varied')


def _holds(statement: Statement, inhabited: tuple[bool, ...]) -> bool:
  quantifier, subject, predicate = statement
  s, p = _TERMS.index(subject), _TERMS.index(predicate)
  members = [t for t, there in zip(_TYPES, inhabited, strict=True) if there]
  if quantifier == 'all':
    return all(t[p] for t in members if t[s])
  meets = any(t[s] and t[p] for t in members)
  return meets if quantifier == 'some' else not meets


def statements(one: str, other: str) -> tuple[Statement, ...]:
  """The six statements {all, some, no} x two directions about two terms."""
  return tuple(
    (quantifier, *pair)
    for quantifier in ('all', 'some', 'no')
    for pair in ((one, other), (other, one))
  )


@functools.cache
def _models(*premises: Statement) -> tuple[tuple[bool, ...], ...]:
  """The models in which all premises hold."""
  return tuple(
    inhabited
    for inhabited in itertools.product((False, True), repeat=len(_TYPES))
    if all(_holds(premise, inhabited) for premise in premises)
  )


def entails(premises: tuple[Statement, ...], statement: Statement) -> bool:
  """Whether the statement holds in every model of the premises."""
  return all(_holds(statement, model) for model in _models(*premises))


def excludes(premises: tuple[Statement, ...], statement: Statement) -> bool:
  """Whether the statement holds in no model of the premises."""
  return not any(_holds(statement, model) for model in _models(*premises))


@functools.cache
def conclusions(*premises: Statement) -> tuple[Statement, ...]:
  """The statements about A and C that hold in every model of the premises."""
  return tuple(s for s in statements('A', 'C') if entails(premises, s))


@functools.cache
def forms() -> dict[str, tuple[tuple[Statement, Statement], ...]]:
  """All premise pairs with a conclusion, by the class of the conclusion.

  Classes: 'all A C', 'all C A', 'some', 'no'. The first premise is about A and
  B, the second about B and C.
  """
  by_class: dict[str, list[tuple[Statement, Statement]]] = {}
  for pair in itertools.product(statements('A', 'B'), statements('B', 'C')):
    found = conclusions(*pair)
    if found:
      quantifier, subject, predicate = found[0]
      name = quantifier
      if quantifier == 'all':
        name = f'all {subject} {predicate}'
      by_class.setdefault(name, []).append(pair)
  return {name: tuple(pairs) for name, pairs in sorted(by_class.items())}


def build(
  *, seed: str, examples: int = 69, style: str = 'plain'
) -> tuple[World, Corpus]:
  """Draws the world and renders it: one document and two questions each.

  'syllogism' asks for the conclusion about the end terms; 'forward' repeats
  the document up to its first premise and asks for that premise in plain words
  (or, for the symmetric quantifiers, its converse, which says the same).
  Choices are the six statements about the two terms; of a forward question,
  those are left out that follow from both premises together.

  Args:
    seed: name of the draw; the same name gives the same bytes.
    examples: premise pairs, with three kinds each that no other example has.
    style: of the documents. 'plain' says premises as the paper does: since the
      conclusion's quantifier stands in a premise, wording gives much of it away
      (the atmosphere effect of Woodworth and Sells 1935). 'varied' says them in
      other words.

  Raises:
    ValueError: if there is nothing to build, too few nonsense words, or no
      such style.
  """
  if style not in STYLES:
    raise ValueError(f'syllogism with style={style!r}; allowed are {STYLES}')
  if examples < 1:
    raise ValueError(
      f'empty world: syllogism with examples={examples}; give 1 or more'
    )
  words = lexicon.sample(3 * examples, seed=f'{seed}/entities')
  drawn = [
    _draw(words[3 * i : 3 * i + 3], i, seed=seed) for i in range(examples)
  ]
  corpus = corpora.corpus(
    'syllogism',
    [
      _document(example, i, style=style, seed=seed)
      for i, example in enumerate(drawn)
    ],
    _questions(drawn, 'forward', seed=seed)
    + _questions(drawn, 'syllogism', seed=seed),
    world='syllogism',
    seed=seed,
    sizes={'examples': examples, 'style': style},
  )
  return _world(drawn), corpus


@dataclasses.dataclass(frozen=True)
class _Example:
  """A premise pair and its words.

  Attributes:
    names: the kinds that stand for A, B and C.
    form: the premises in A, B and C, in the order in which they are said.
    listed: the kinds in the order in which the document lists them.
    ends: A and C in the order in which the question lists them.
  """

  names: tuple[str, str, str]
  form: tuple[Statement, Statement]
  listed: tuple[str, ...]
  ends: tuple[str, ...]

  def fact(self, statement: Statement) -> Fact:
    """The statement in words."""
    quantifier, subject, predicate = statement
    named = dict(zip(_TERMS, self.names, strict=True))
    return Fact(named[subject], quantifier, named[predicate])


def _draw(names: list[str], i: int, *, seed: str) -> _Example:
  by_class = forms()
  chosen = balance.nth(tuple(by_class), i, seed=f'{seed}/classes')
  rng = random.Random(f'{seed}/examples/{i}')
  form = rng.choice(by_class[chosen])
  return _Example(
    names=tuple(names),
    form=tuple(rng.sample(form, 2)),
    listed=tuple(rng.sample(names, 3)),
    ends=tuple(rng.sample((names[0], names[2]), 2)),
  )


def said(fact: Fact) -> str:
  """'all glon are troff'."""
  return quantified.statement(fact.relation, fact.subject, fact.object)


def _document(example: _Example, i: int, *, style: str, seed: str) -> Document:
  premises = tuple(example.fact(premise) for premise in example.form)
  rng = random.Random(f'{seed}/wording/{i}')

  def worded(fact: Fact) -> str:
    if style == 'plain':
      return said(fact)
    form = rng.choice(quantified.PARAPHRASES[fact.relation])
    return form.format(S=fact.subject, P=fact.object)

  sentences = ' '.join(f'{worded(premise)}.' for premise in premises)
  lead = quantified.relationships(*example.listed)
  return Document(f'example-{i:04d}', f'{lead} {sentences}', premises)


def _questions(
  examples: list[_Example], kind: str, *, seed: str
) -> list[Question]:
  asked = collections.Counter()
  questions = []
  for i, example in enumerate(examples):
    if kind == 'forward':
      premises = example.form[:1]
      options = statements(*premises[0][1:])
      prompt = quantified.relationships(*example.listed)
    else:
      premises = example.form
      options = statements('A', 'C')
      prompt = quantified.relationships(*example.ends)
    valid = [s for s in options if entails(premises, s)]
    # 'all B are C' and 'some A are B' make 'some B are C' true as well: no
    # wrong choice, but no restatement either.
    wrong = [s for s in options if not entails(example.form, s)]
    choice = {s: f' {said(example.fact(s))}.' for s in (*valid, *wrong)}
    shape = f'{len(valid)}-{len(wrong)}'
    choices, answers = balance.arrange(
      [choice[s] for s in valid],
      [choice[s] for s in wrong],
      index=asked[shape],
      seed=f'{seed}/{kind}/{shape}',
    )
    asked[shape] += 1
    questions.append(
      Question(
        id=f'{kind}-{i:04d}',
        prompt=prompt,
        choices=choices,
        answers=answers,
        kind=kind,
        premises=tuple(example.fact(premise) for premise in premises),
        target=example.fact(premises[0] if kind == 'forward' else valid[0]),
      )
    )
  return questions


@functools.cache
def _consequences(
  *premises: Statement,
) -> tuple[
  tuple[tuple[Statement, tuple[Statement, ...]], ...], tuple[Statement, ...]
]:
  """What a premise pair settles about any two of its three terms.

  Returns:
    the statements that follow and are no premise, each with a smallest set of
    premises; and the statements that are excluded.
  """
  smallest_first = [(premise,) for premise in premises] + [premises]
  entailed, excluded = [], []
  for pair in itertools.combinations(_TERMS, 2):
    for statement in statements(*pair):
      if excludes(premises, statement):
        excluded.append(statement)
      if statement not in premises and entails(premises, statement):
        enough = next(s for s in smallest_first if entails(s, statement))
        entailed.append((statement, enough))
  return tuple(entailed), tuple(excluded)


def _world(examples: list[_Example]) -> World:
  facts, entailments, contradicted = [], [], set()
  for example in examples:
    entailed, excluded = _consequences(*example.form)
    facts += map(example.fact, example.form)
    contradicted.update(map(example.fact, excluded))
    entailments += [
      Entailment(example.fact(statement), tuple(map(example.fact, enough)), 1)
      for statement, enough in entailed
    ]
  return World(
    'syllogism', tuple(facts), tuple(entailments), frozenset(contradicted)
  )
