"""Derivatoids by worked example: rules are shown, never told.

Documents work an expression out step by step by the rules of `derivatoids`.
Some combinations of rules ('sum of power and sine') are in no document; the
questions ask for new expressions of combinations that were shown ('seen') and
of those that were not ('compositional'). Wrong choices are near misses: the
ordinary derivative, one wrong rule, the parts in the wrong order.
"""

import collections
import dataclasses
import itertools
import random
import re
from collections.abc import Iterable, Mapping, Sequence

from icl_gen.text import expressions, transforms
from icl_gen.types import Corpus, Document, Entailment, Fact, Question, World
from icl_gen.worlds import balance, corpora
from icl_gen.worlds.process import derivatoids
from icl_gen.worlds.process.derivatoids import Term

# 'short' writes s(2*x) for sin(2*x), and does not name the rules.
STYLES = ('long', 'short')
BECOMES = 'becomes'
WRONG = 3
# Of the second parts that a rule and a first part may have, one in this many
# is held out.
_ONE_IN = 3
_LEAST_NUMBER = 2
_TRIES = 1000
_TRIES_AS_DEALT = 50

# A combination rule and the rules of its two parts.
Shape = tuple[str, str, str]


def build(
  *,
  seed: str,
  examples: int = 1000,
  questions: int = 200,
  numbers: int = 9,
  depth: int = 2,
  rules: Sequence[str] = tuple(derivatoids.RULES),
  style: str = 'long',
) -> tuple[World, Corpus]:
  """Draws the world and renders it.

  Besides the examples, one document each shows every base rule with every
  number, so that a question needs no number that was never seen.

  The world's entailed facts are every expression of one combination rule, and
  those of the questions; what else might be asked is unknown to it. Their
  premises are the parts' facts and one worked example of each combination
  rule: the rule has to be inferred from it.

  Args:
    seed: name of the draw; the same name gives the same bytes.
    examples: worked examples of combinations.
    questions: of either kind.
    numbers: the greatest number in a base rule; the least is 2.
    depth: combination rules inside of each other, 1 or 2.
    rules: which rules of the tables there are.
    style: one of STYLES.

  Raises:
    ValueError: if there is nothing to build, or fewer expressions than are
      asked for.
  """
  _check(examples, questions, numbers, depth, rules, style)
  write = _Writer(style, tuple(rules))
  trained, held_out = _split(rules, depth, seed=seed)
  rows = {
    rule: [Term(rule, n) for n in range(_LEAST_NUMBER, numbers + 1)]
    for rule in _base(rules)
  }
  draw = _Drawing(rows, seed)
  shown = draw.terms('example', examples, trained, of=trained)
  stated = tuple(
    dict.fromkeys(_shapes(node for t in shown for node in t.nodes))
  )
  asked = {
    'seen': draw.terms('seen', questions, stated, of=stated),
    'compositional': draw.terms(
      'compositional', questions, held_out, of=stated
    ),
  }
  documents = [
    _document(f'rule-{rule}-{term.number}', term, write)
    for rule, terms in rows.items()
    for term in terms
  ] + [_document(f'example-{i:04d}', t, write) for i, t in enumerate(shown)]
  world = _world(rows, shown, asked, trained + held_out, write)
  premises = {entailed.fact: entailed.premises for entailed in world.entailed}
  corpus = corpora.corpus(
    'process',
    documents,
    [
      question
      for kind, terms in asked.items()
      for question in _questions(kind, terms, premises, write, seed=seed)
    ],
    world='process',
    seed=seed,
    sizes={
      'examples': examples,
      'numbers': numbers,
      'depth': depth,
      'rules': list(rules),
      'style': style,
      'held_out': [derivatoids.combination(*shape) for shape in held_out],
    },
  )
  return world, corpus


def _check(examples, questions, numbers, depth, rules, style) -> None:
  if examples < 1:
    raise ValueError(
      f'empty world: process with examples={examples}; give 1 or more'
    )
  if questions < 1:
    raise ValueError(f'process with questions={questions}; give 1 or more')
  if numbers <= _LEAST_NUMBER:
    raise ValueError(
      f'process with numbers={numbers}; give {_LEAST_NUMBER + 1} or more, so'
      ' that a rule can be shown with one number and asked with another'
    )
  if depth not in (1, 2):
    raise ValueError(f'process with depth={depth}; allowed are 1 and 2')
  if style not in STYLES:
    raise ValueError(f'process with style={style!r}; allowed are {STYLES}')
  known = tuple(derivatoids.RULES)
  if len(set(rules)) < len(rules) or not set(rules) <= set(known):
    raise ValueError(
      f'process with rules={tuple(rules)}; allowed are, each once, {known}'
    )
  functions = [r for r in _base(rules) if r != derivatoids.CONSTANT]
  if len(functions) < 2 or not _combinations(rules):
    raise ValueError(
      f'process with rules={tuple(rules)} combines nothing; give two or more of'
      f' {[r.name for r in derivatoids.BASE[1:]]} and one or more of'
      f' {[r.name for r in derivatoids.COMBINATIONS]}'
    )


def _base(rules: Sequence[str]) -> list[str]:
  return [r.name for r in derivatoids.BASE if r.name in rules]


def _combinations(rules: Sequence[str]) -> list[str]:
  return [r.name for r in derivatoids.COMBINATIONS if r.name in rules]


def _split(
  rules: Sequence[str], depth: int, *, seed: str
) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
  """The shapes of the documents, and those that are held out.

  As in a Latin square, every rule is held out, and trained, with some first
  parts of every kind and some second parts of every kind.
  """
  trained, held_out = [], []
  for rule in _combinations(rules):
    parts = _base(rules) + (_combinations(rules) if depth > 1 else [])
    firsts, seconds = parts, parts
    if rule == 'composition':
      functions = [part for part in parts if part != derivatoids.CONSTANT]
      firsts, seconds = _base(functions), functions
    rng = random.Random(f'{seed}/split/{rule}')
    firsts, seconds = (rng.sample(p, len(p)) for p in (firsts, seconds))
    for (i, first), (j, second) in itertools.product(
      enumerate(firsts), enumerate(seconds)
    ):
      if not _is_shape(first, second):
        continue
      side = held_out if (i + j) % _ONE_IN == 0 else trained
      side.append((rule, first, second))
  return tuple(trained), tuple(held_out)


def _is_shape(first: str, second: str) -> bool:
  """Not two constants, and no more than one part that is a combination."""
  nested = [p for p in (first, second) if _combinations([p])]
  return len(nested) < 2 and (first, second) != (derivatoids.CONSTANT,) * 2


def _shapes(terms: Iterable[Term]) -> list[Shape]:
  return [(t.rule, *(p.rule for p in t.parts)) for t in terms if t.parts]


@dataclasses.dataclass(frozen=True)
class _Drawing:
  """Draws expressions, none twice.

  Attributes:
    rows: base rule -> its terms.
    seed: the world's.
    used: all terms drawn so far, and what is inside of them.
  """

  rows: Mapping[str, Sequence[Term]]
  seed: str
  used: set[Term] = dataclasses.field(default_factory=set)

  def terms(
    self, kind: str, count: int, roots: Sequence[Shape], *, of: Sequence[Shape]
  ) -> list[Term]:
    """Draws `count` new terms with these roots, made inside of shapes `of`."""
    inner = collections.defaultdict(list)
    for shape in of:
      if not _combinations(shape[1:]):
        inner[shape[0]].append(shape)
    known = {shape[0] for shape in of}
    roots = [
      shape
      for shape in roots
      if shape[0] in known and all(r in inner for r in _combinations(shape[1:]))
    ]
    return [self._term(kind, i, count, roots, inner) for i in range(count)]

  def _term(self, kind, i, count, roots, inner) -> Term:
    name = f'{self.seed}/{kind}'
    rng = random.Random(f'{name}/{i}')
    for tried in range(_TRIES if roots else 0):
      if tried < _TRIES_AS_DEALT:
        shape = balance.nth(roots, i, seed=f'{name}/shapes')
      else:
        shape = rng.choice(roots)
      term = self._filled(shape, inner, rng)
      if term not in self.used and term.parts[0] != term.parts[1]:
        self.used.update(term.nodes)
        return term
    raise ValueError(
      f'process: found {i} new expressions of kind {kind!r} where {count} were'
      ' asked for; give greater numbers, more examples, more rules or fewer'
      ' questions'
    )

  def _filled(self, shape: Shape, inner, rng: random.Random) -> Term:
    parts = tuple(
      rng.choice(self.rows[rule])
      if rule in self.rows
      else self._filled(rng.choice(inner[rule]), inner, rng)
      for rule in shape[1:]
    )
    return Term(shape[0], parts=parts)


@dataclasses.dataclass(frozen=True)
class _Writer:
  """Puts terms into words.

  Attributes:
    style: one of STYLES.
    rules: those of the world.
  """

  style: str
  rules: tuple[str, ...]

  def text(self, expression: expressions.Expression) -> str:
    """'sin(2*x)', or 's(2*x)' in short."""
    text = expressions.render(expression)
    if self.style == 'short':
      return re.sub(r'([a-z])[a-z]+\(', r'\1(', text)
    return text

  def named(self, term: Term) -> str:
    """The rule, as a document names it; '' if it does not."""
    return term.rule if self.style == 'long' else ''

  def fact(self, term: Term) -> Fact:
    """That the term becomes its derivatoid."""
    subject = self.text(derivatoids.expression(term))
    return Fact(subject, BECOMES, self.text(derivatoids.becomes(term)))

  def near_misses(self, term: Term) -> dict[str, tuple[Fact, ...]]:
    """That it becomes something else, by kind of mistake."""
    subject = self.text(derivatoids.expression(term))
    found = derivatoids.near_misses(term, rules=self.rules)
    return {
      kind: tuple(Fact(subject, BECOMES, self.text(wrong)) for wrong in wrongs)
      for kind, wrongs in found.items()
    }


def _document(name: str, term: Term, write: _Writer) -> Document:
  steps = tuple(dict.fromkeys(term.nodes))
  facts = tuple(write.fact(step) for step in steps)
  sentences = (
    transforms.statement(fact.subject, fact.object, rule=write.named(step))
    + '.'
    for step, fact in zip(steps, facts, strict=True)
  )
  return Document(name, ' '.join(sentences), facts)


def _questions(
  kind: str,
  terms: Sequence[Term],
  premises: Mapping[Fact, tuple[Fact, ...]],
  write: _Writer,
  *,
  seed: str,
) -> list[Question]:
  asked, questions = collections.Counter(), []
  for i, term in enumerate(terms):
    target = write.fact(term)
    wrong = _wrong(write.near_misses(term), seed=f'{seed}/wrong/{kind}/{i}')
    choices, answers = balance.arrange(
      [f' {target.object}.'],
      [f' {fact.object}.' for fact in wrong],
      index=asked[term.rule],
      seed=f'{seed}/{kind}/{term.rule}',
    )
    asked[term.rule] += 1
    questions.append(
      Question(
        id=f'{kind}-{i:04d}',
        prompt=transforms.statement(target.subject, '').rstrip(),
        choices=choices,
        answers=answers,
        kind=kind,
        premises=premises[target],
        target=target,
        stratum=term.rule,
      )
    )
  return questions


def _wrong(
  near_misses: Mapping[str, Sequence[Fact]], *, seed: str
) -> list[Fact]:
  """A near miss of each kind; for a kind that there is none of, another."""
  rng = random.Random(seed)
  dealt = [
    rng.sample(near_misses[kind], len(near_misses[kind]))
    for kind in derivatoids.NEAR_MISSES
    if kind in near_misses
  ]
  rounds = itertools.chain.from_iterable(itertools.zip_longest(*dealt))
  wrong = [fact for fact in rounds if fact is not None][:WRONG]
  assert len(wrong) == WRONG, near_misses
  return wrong


def _world(
  rows: Mapping[str, Sequence[Term]],
  shown: Sequence[Term],
  asked: Mapping[str, Sequence[Term]],
  shapes: Sequence[Shape],
  write: _Writer,
) -> World:
  base = [term for terms in rows.values() for term in terms]
  nodes = [node for term in shown for node in term.nodes]
  given = {term: write.fact(term) for term in [*base, *nodes]}
  example: dict[str, Fact] = {}
  for term, fact in given.items():
    example.setdefault(term.rule, fact)
  questioned = [
    t for terms in asked.values() for one in terms for t in one.nodes
  ]
  simple = [
    Term(rule, parts=(first, second))
    for rule, *parts in shapes
    if rule in example and not _combinations(parts)
    for first, second in itertools.product(*(rows[part] for part in parts))
  ]
  entailed = [
    Entailment(
      fact=write.fact(term),
      premises=tuple(
        dict.fromkeys(
          given[node] if node in rows.get(node.rule, ()) else example[node.rule]
          for node in term.nodes
        )
      ),
      hops=sum(bool(node.parts) for node in term.nodes),
    )
    for term in dict.fromkeys([*questioned, *simple])
    if term not in given
  ]
  return World(
    name='process',
    facts=tuple(given.values()),
    entailed=tuple(entailed),
    contradicted=frozenset(
      fact
      for term in [*given, *questioned]
      for facts in write.near_misses(term).values()
      for fact in facts
    ),
  )
