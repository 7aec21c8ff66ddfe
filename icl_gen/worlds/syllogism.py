"""Syllogisms: two premises over three nonsense terms, and what they entail.

Validity is decided by checking every model. A term may be empty (no existential
import), so 'all A are B' does not entail 'some A are B'. The premise pairs used
are those whose valid conclusions about the two end terms, among the six
statements {all, some, no} x two directions, are either one statement or both
directions of one symmetric statement ('some A are C' and 'some C are A' mean
the same).
"""

import collections
import dataclasses
import functools
import itertools
import random
import re
from collections.abc import Sequence

from icl_gen.text import lexicon, quantified, sentences
from icl_gen.text.forms.statements import HELD_OUT_SYLLOGISMS, PARAPHRASES
from icl_gen.types import Corpus, Document, Entailment, Fact, Question, World
from icl_gen.worlds import balance, corpora, sizes
from icl_gen.worlds.definition import Definition, Wording

Statement = tuple[str, str, str]  # quantifier, subject, predicate

# A model says which of the 2^3 combinations of membership in (A, B, C) have
# members; there are 2^8 models.
_TYPES = tuple(itertools.product((False, True), repeat=3))
_TERMS = ('A', 'B', 'C')
STYLES = ('plain', 'varied')
OPTIONS = {'forms': 'seen', 'by_form': False}


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
    (quantifier, subject, predicate)
    for quantifier in ('all', 'some', 'no')
    for subject, predicate in ((one, other), (other, one))
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


Premises = tuple[Statement, Statement]


@functools.cache
def premise_pairs(*, held_out: bool = True) -> dict[str, tuple[Premises, ...]]:
  """All premise pairs that have a conclusion, by the class of the conclusion.

  Classes: 'all A C', 'all C A', 'some', 'no'. The first premise is about A and
  B, the second about B and C.

  Args:
    held_out: whether to include those that are held out of pretraining.
  """
  by_class: dict[str, list[Premises]] = {}
  for pair in itertools.product(statements('A', 'B'), statements('B', 'C')):
    found = conclusions(*pair)
    if found and (held_out or form_name(pair) not in HELD_OUT_SYLLOGISMS):
      quantifier, subject, predicate = found[0]
      name = quantifier
      if quantifier == 'all':
        name = f'all {subject} {predicate}'
      by_class.setdefault(name, []).append(pair)
  return {name: tuple(pairs) for name, pairs in sorted(by_class.items())}


def form_name(premises: Premises) -> str:
  """Names the form of two premises: 'all A B, all B C'.

  A form is the same if A and C change places, because documents state the
  premises in either order: the ten pairs are five forms.
  """
  swapped = {'A': 'C', 'B': 'B', 'C': 'A'}
  mirrored = tuple((q, swapped[s], swapped[p]) for q, s, p in premises)
  return min(
    ', '.join(' '.join(statement) for statement in pair)
    for pair in (
      sorted(premises, key=_is_about_c),
      sorted(mirrored, key=_is_about_c),
    )
  )


def _is_about_c(statement: Statement) -> bool:
  return 'C' in statement[1:]


def build(
  *,
  seed: str,
  examples: int,
  style: str = 'plain',
  forms: str = 'seen',
  by_form: bool = False,
) -> tuple[World, Corpus]:
  """Draws the world; each example has one document and two questions.

  A 'syllogism' question asks for the conclusion about the end terms. A
  'forward' question repeats the document up to its first premise and asks for
  that premise in plain words (or, for the symmetric quantifiers, its converse,
  which means the same). The choices are the six statements about the two terms;
  a forward question leaves out those that only both premises together entail.

  Args:
    seed: name of the random draw; the same name gives the same bytes.
    examples: number of premise pairs; no two share a term.
    style: wording of the documents. 'plain' states premises as the paper does:
      because the conclusion's quantifier occurs in a premise, the wording gives
      much of it away (the atmosphere effect of Woodworth and Sells 1935).
      'varied' paraphrases the premises.
    forms: the part of the tables that wordings are drawn from, one of
      `forms.split.PARTS`. In 'development' forms, the premises are none of
      those that are held out; in the others they have all forms.
    by_form: whether the stratum of a question is the form of its premises.

  Raises:
    ValueError: a size is not positive, the style or the forms are unknown, or
      there are too few nonsense words.
  """
  sizes.require_forms('syllogism', forms)
  sizes.require_one_of('syllogism', STYLES, style=style)
  sizes.require_positive('syllogism', examples=examples)
  words = lexicon.sample(3 * examples, seed=f'{seed}/entities')
  drawn = [
    _draw(words[3 * i : 3 * i + 3], i, forms=forms, seed=seed)
    for i in range(examples)
  ]
  corpus = corpora.corpus(
    'syllogism',
    [
      _document(example, i, style=style, forms=forms, seed=seed)
      for i, example in enumerate(drawn)
    ],
    [
      question
      for kind in ('forward', 'syllogism')
      for question in _questions(
        drawn, kind, forms=forms, by_form=by_form, seed=seed
      )
    ],
    world='syllogism',
    seed=seed,
    sizes={
      'examples': examples,
      'style': style,
      **sizes.options(OPTIONS, forms=forms, by_form=by_form),
    },
  )
  return _world(drawn), corpus


@dataclasses.dataclass(frozen=True)
class _Example:
  """A premise pair and its words.

  Attributes:
    names: the words that stand for A, B and C.
    form: the premises in terms of A, B and C, in the order of the document.
    listed: the words in the order in which the document lists them.
    ends: the words for A and C in the order in which the question lists them.
  """

  names: tuple[str, str, str]
  form: tuple[Statement, Statement]
  listed: tuple[str, ...]
  ends: tuple[str, ...]

  def fact(self, statement: Statement) -> Fact:
    """The statement about this example's words."""
    quantifier, subject, predicate = statement
    named = dict(zip(_TERMS, self.names, strict=True))
    return Fact(named[subject], quantifier, named[predicate])


def _draw(names: Sequence[str], i: int, *, forms: str, seed: str) -> _Example:
  a, b, c = names
  by_class = premise_pairs(held_out=forms != 'development')
  chosen = balance.nth(tuple(by_class), i, seed=f'{seed}/classes')
  rng = random.Random(f'{seed}/examples/{i}')
  form = rng.choice(by_class[chosen])
  first, second = rng.sample(form, 2)
  return _Example(
    names=(a, b, c),
    form=(first, second),
    listed=tuple(rng.sample((a, b, c), 3)),
    ends=tuple(rng.sample((a, c), 2)),
  )


def _document(
  example: _Example, i: int, *, style: str, forms: str, seed: str
) -> Document:
  premises = tuple(example.fact(premise) for premise in example.form)
  rng = random.Random(f'{seed}/wording/{i}')

  def worded(fact: Fact) -> str:
    if style == 'plain':
      return quantified.said(fact, part=forms)
    form = rng.choice(PARAPHRASES[forms][fact.relation])
    return form.format(S=fact.subject, P=fact.object)

  premises_said = ' '.join(f'{worded(premise)}.' for premise in premises)
  lead = quantified.relationships(*example.listed, part=forms)
  return Document(f'example-{i:04d}', f'{lead} {premises_said}', premises)


def _questions(
  examples: list[_Example],
  kind: str,
  *,
  forms: str,
  by_form: bool,
  seed: str,
) -> list[Question]:
  asked: collections.Counter[str] = collections.Counter()
  questions = []
  for i, example in enumerate(examples):
    premises: tuple[Statement, ...] = example.form
    one, other, listed = 'A', 'C', example.ends
    if kind == 'forward':
      premises = example.form[:1]
      _, one, other = example.form[0]
      listed = example.listed
    options = statements(one, other)
    valid = [s for s in options if entails(premises, s)]
    # 'all B are C' and 'some A are B' also entail 'some B are C', which is
    # then neither a wrong choice nor a restatement of one premise.
    wrong = [s for s in options if not entails(example.form, s)]
    choice = {
      s: f' {quantified.said(example.fact(s), part=forms)}.'
      for s in (*valid, *wrong)
    }
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
        prompt=quantified.relationships(*listed, part=forms),
        choices=choices,
        answers=answers,
        kind=kind,
        premises=tuple(example.fact(premise) for premise in premises),
        target=example.fact(premises[0] if kind == 'forward' else valid[0]),
        stratum=form_name(example.form) if by_form else '',
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
    the entailed statements that are not premises, each with a minimal set of
    premises; and the excluded statements.
  """
  smallest_first = [(premise,) for premise in premises] + [premises]
  entailed, excluded = [], []
  for one, other in itertools.combinations(_TERMS, 2):
    for statement in statements(one, other):
      if excludes(premises, statement):
        excluded.append(statement)
      if statement not in premises and entails(premises, statement):
        enough = next(s for s in smallest_first if entails(s, statement))
        entailed.append((statement, enough))
  return tuple(entailed), tuple(excluded)


def _world(examples: list[_Example]) -> World:
  facts: list[Fact] = []
  entailments: list[Entailment] = []
  contradicted: set[Fact] = set()
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


def _wording(forms: str) -> Wording:
  """Single statements after the two terms, listed in either order."""

  def openings(document: Document, fact: Fact) -> tuple[str, ...]:
    # In the order in which the document lists its terms, then in the other.
    words = re.findall(r'\w+', document.text)
    one, other = sorted((fact.subject, fact.object), key=words.index)
    return tuple(
      quantified.relationships(*listed, part=forms)
      for listed in ((one, other), (other, one))
    )

  def told(fact: Fact, said: str) -> tuple[str, ...]:
    ends = (fact.subject, fact.object), (fact.object, fact.subject)
    return tuple(
      f'{quantified.relationships(*listed, part=forms)} {said}.'
      for listed in ends
    )

  return Wording(
    plain=lambda fact: told(fact, quantified.said(fact, part=forms)),
    other=lambda fact: tuple(
      text
      for form in PARAPHRASES[forms][fact.relation]
      for text in told(fact, form.format(S=fact.subject, P=fact.object))
    ),
    bare=lambda fact: (
      quantified.said(fact, part=forms),
      *(
        form.format(S=fact.subject, P=fact.object)
        for form in PARAPHRASES[forms][fact.relation]
      ),
    ),
    openings=openings,
    read=sentences.reader(quantified.read),
  )


DEFINITION = Definition(
  about=__doc__,
  build=build,
  sizes={
    'paper': {'examples': 69, 'style': 'plain'},
    # A wording that does not give the conclusion away.
    'varied': {'examples': 69, 'style': 'varied'},
    'nano': {'examples': 24, 'style': 'plain'},
  },
  reader=lambda world: sentences.reader(quantified.read),
  said=quantified.said,
  stated=frozenset({'forward'}),
  repeating=frozenset({'forward'}),
  wording=_wording,
)
