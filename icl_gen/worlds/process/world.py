"""Builds the process world: worked examples, questions and near misses."""

import collections
import dataclasses
import itertools
import random
import re
from collections.abc import Mapping, Sequence

from icl_gen.text import expressions, transforms
from icl_gen.types import Corpus, Document, Entailment, Fact, Question, World
from icl_gen.worlds import balance, corpora, logic, sizes
from icl_gen.worlds.definition import Excluded
from icl_gen.worlds.process import derivatoids, drawing
from icl_gen.worlds.process.choices import WRONG, Readers
from icl_gen.worlds.process.derivatoids import Term

# 'short' writes s(2*x) for sin(2*x), and does not name the rules.
STYLES = ('long', 'short')
OPTIONS = {'forms': 'seen', 'balanced': False}
_LEAST_NUMBER = 2
_GREATEST_NUMBER = 10_000


def build(
  *,
  seed: str,
  examples: int,
  questions: int,
  numbers: int,
  depth: int,
  rules: Sequence[str],
  style: str,
  forms: str = 'seen',
  balanced: bool = False,
) -> tuple[World, Corpus]:
  """Draws the world and writes its documents and questions.

  Besides the examples, there is one document per base rule and number, so that
  no question needs an unseen number.

  The world's entailed facts are all expressions with one combination rule, and
  those of the questions; any other expression is unknown to it. Their premises
  are the facts about the parts and one worked example of each combination rule,
  from which the rule has to be inferred.

  Args:
    seed: name of the random draw; the same name gives the same bytes.
    examples: number of worked examples of combinations.
    questions: number of questions of each kind.
    numbers: the greatest number in a base rule; the least is 2.
    depth: how many combination rules may be nested, 1 or 2.
    rules: names of the rules to use, from `derivatoids.RULES`.
    style: one of STYLES.
    forms: the part of the tables of wordings; see `forms.split.PARTS`.
    balanced: whether wrong choices are chosen so that neither length nor an
      n-gram model of the documents tells the right one; see `choices`.

  Raises:
    ValueError: a size is not positive, an option is unknown, or there are fewer
      expressions than asked for.
  """
  sizes.require_forms('process', forms)
  _check(examples, questions, numbers, depth, rules, style)
  write = _Writer(style, tuple(rules), forms)
  trained, held_out = drawing.split(rules, depth, seed=seed)
  rows = {
    rule: [Term(rule, n) for n in range(_LEAST_NUMBER, numbers + 1)]
    for rule in drawing.base_rules(rules)
  }
  draw = drawing.Drawing(rows, seed)
  shown = draw.terms('example', examples, trained, of=trained)
  nodes = [node for term in shown for node in term.nodes]
  seen = tuple(dict.fromkeys(drawing.shapes(nodes)))
  asked = {
    'seen': draw.terms('seen', questions, seen, of=seen),
    'compositional': draw.terms('compositional', questions, held_out, of=seen),
  }
  documents = _documents(rows, shown, write)
  readers = Readers(documents) if balanced else None
  world = _world(rows, nodes, asked, trained + held_out, write)
  corpus = corpora.corpus(
    'process',
    documents,
    [
      question
      for kind in asked
      for question in _questions(
        kind, asked[kind], world, write, readers=readers, seed=seed
      )
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
      **sizes.options(OPTIONS, forms=forms, balanced=balanced),
    },
  )
  return world, corpus


def excluder(world: World) -> Excluded:
  """A function has one derivatoid, so any result that differs is excluded.

  Results are compared by their canonical forms.
  """
  results = {
    (fact.subject, fact.relation): fact.object
    for fact in logic.true_facts(world)
  }

  def excluded(fact: Fact) -> bool:
    result = results.get((fact.subject, fact.relation))
    return result is not None and not expressions.same(result, fact.object)

  return excluded


def _check(
  examples: int,
  questions: int,
  numbers: int,
  depth: int,
  rules: Sequence[str],
  style: str,
) -> None:
  sizes.require_positive('process', examples=examples, questions=questions)
  if numbers <= _LEAST_NUMBER:
    raise ValueError(
      f'process with numbers={numbers}; give {_LEAST_NUMBER + 1} or more, so'
      ' that a rule can be shown with one number and asked with another'
    )
  sizes.require_between(
    'process', least=1, most=_GREATEST_NUMBER, numbers=numbers
  )
  sizes.require_one_of('process', (1, 2), depth=depth)
  sizes.require_one_of('process', STYLES, style=style)
  known = tuple(derivatoids.RULES)
  if len(set(rules)) < len(rules) or not set(rules) <= set(known):
    raise ValueError(
      f'process with rules={tuple(rules)}; allowed are, each once, {known}'
    )
  functions = [
    rule for rule in drawing.base_rules(rules) if rule != derivatoids.CONSTANT
  ]
  if len(functions) < 2 or not drawing.combination_rules(rules):
    raise ValueError(
      f'process with rules={tuple(rules)} combines nothing; give two or more of'
      f' {[r.name for r in derivatoids.BASE[1:]]} and one or more of'
      f' {[r.name for r in derivatoids.COMBINATIONS]}'
    )


@dataclasses.dataclass(frozen=True)
class _Writer:
  """Writes terms as text.

  Attributes:
    style: one of STYLES.
    rules: the world's rules.
    forms: the part of the tables of wordings.
  """

  style: str
  rules: tuple[str, ...]
  forms: str

  def text(self, expression: expressions.Expression) -> str:
    """'sin(2*x)', or 's(2*x)' in the short style."""
    text = expressions.render(expression)
    if self.style == 'short':
      return re.sub(r'([a-z])[a-z]+\(', r'\1(', text)
    return text

  def step(self, term: Term, fact: Fact) -> str:
    """Words a step of a worked example, with its rule if documents name it."""
    rule = term.rule if self.style == 'long' else ''
    said = transforms.statement(
      fact.subject, fact.object, rule=rule, part=self.forms
    )
    return f'{said}.'

  def fact(self, term: Term) -> Fact:
    """States the term's derivatoid."""
    subject = self.text(derivatoids.expression(term))
    result = self.text(derivatoids.becomes(term))
    return Fact(subject, transforms.BECOMES, result)

  def near_misses(self, term: Term) -> dict[str, tuple[Fact, ...]]:
    """States wrong results, by kind of mistake."""
    subject = self.text(derivatoids.expression(term))
    found = derivatoids.near_misses(term, rules=self.rules)
    return {
      kind: tuple(
        Fact(subject, transforms.BECOMES, self.text(wrong)) for wrong in wrongs
      )
      for kind, wrongs in found.items()
    }


def _documents(
  rows: Mapping[str, Sequence[Term]], shown: Sequence[Term], write: _Writer
) -> list[Document]:
  """One for every base rule and number, and one for every worked example."""
  return [
    _document(f'rule-{rule}-{term.number}', term, write)
    for rule, terms in rows.items()
    for term in terms
  ] + [_document(f'example-{i:04d}', t, write) for i, t in enumerate(shown)]


def _document(name: str, term: Term, write: _Writer) -> Document:
  steps = tuple(dict.fromkeys(term.nodes))
  facts = tuple(write.fact(step) for step in steps)
  text = ' '.join(map(write.step, steps, facts))
  return Document(name, text, facts)


def _questions(
  kind: str,
  terms: Sequence[Term],
  world: World,
  write: _Writer,
  *,
  readers: Readers | None,
  seed: str,
) -> list[Question]:
  premises = {entailed.fact: entailed.premises for entailed in world.entailed}
  asked: collections.Counter[str] = collections.Counter()
  questions = []
  for i, term in enumerate(terms):
    target = write.fact(term)
    prompt = transforms.statement(target.subject, '', part=write.forms).rstrip()
    near_misses = _dealt(
      write.near_misses(term), seed=f'{seed}/wrong/{kind}/{i}'
    )
    wrong = near_misses[:WRONG]
    if readers:
      wrong = readers.choose(prompt, target, near_misses, group=term.rule)
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
        prompt=prompt,
        choices=choices,
        answers=answers,
        kind=kind,
        premises=premises[target],
        target=target,
        stratum=term.rule,
      )
    )
  return questions


def _dealt(
  near_misses: Mapping[str, Sequence[Fact]], *, seed: str
) -> list[Fact]:
  """Shuffles near misses so that the first are one of each kind, or more of one
  kind if another has none."""
  rng = random.Random(seed)
  dealt = [
    rng.sample(near_misses[kind], len(near_misses[kind]))
    for kind in derivatoids.NEAR_MISSES
    if kind in near_misses
  ]
  rounds = itertools.chain.from_iterable(itertools.zip_longest(*dealt))
  wrong = [fact for fact in rounds if fact is not None]
  assert len(wrong) >= WRONG, near_misses
  return wrong


def _world(
  rows: Mapping[str, Sequence[Term]],
  shown: Sequence[Term],
  asked: Mapping[str, Sequence[Term]],
  shapes: Sequence[drawing.Shape],
  write: _Writer,
) -> World:
  """The world's facts, given the base terms, the terms worked out in examples,
  the terms of questions, and all shapes."""
  base = [term for terms in rows.values() for term in terms]
  given = {term: write.fact(term) for term in [*base, *shown]}
  example: dict[str, Fact] = {}
  for term, fact in given.items():
    example.setdefault(term.rule, fact)
  questioned = [
    t for terms in asked.values() for one in terms for t in one.nodes
  ]
  simple = [
    Term(rule, parts=(first, second))
    for rule, *parts in shapes
    if rule in example and not drawing.combination_rules(parts)
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
