"""The audit of a world and its corpus: what everyone may rely on, checked.

Compares records with the closure and, where the world has a grammar, sentences
with the records; changes nothing. A world without facts (a user's own
documents) is checked for what can be seen without knowing what is true.
"""

import collections
import math
from collections.abc import Callable, Iterator
from typing import Any

from icl_gen.types import Corpus, Fact, World
from icl_gen.worlds import baselines, grammar

# Kinds that ask for what a document states; no other kind's target is stated.
STATED = frozenset({'forward', 'forward_name', 'rephrase', 'reversal_seen'})
# (world, kind): a syllogism's forward question repeats its document's opening.
REPEATING = frozenset({('syllogism', 'forward')})

Check = Callable[[World, Corpus], Iterator[str]]


def audit(world: World, corpus: Corpus) -> dict[str, Any]:
  """Runs every check that can be run; JSON values, for a manifest.

  Returns:
    'checked': what was looked at, in words; 'complaints': what is wrong, in
    words; 'baselines': per kind of question, accuracies of baselines.
  """
  found = {name: list(check(world, corpus)) for name, check in checks(world)}
  return {
    'checked': list(found),
    'complaints': [text for texts in found.values() for text in texts],
    'baselines': baselines.accuracies(corpus),
  }


def checks(world: World) -> tuple[tuple[str, Check], ...]:
  """The checks that suit a world, with what they look at."""
  chosen = [
    ('ids are unique', ids),
    ('answers are evenly placed', positions),
    ('no question is said in a document', leaks),
  ]
  if world.facts:
    chosen += [
      ('stated, entailed and contradicted exclude one another', truth),
      ('documents state what is given, and all of it', statements),
      ('premises are stated, targets by kind', targets),
    ]
  if world.facts and grammar.has_reader(world.name):
    chosen += [
      ('sentences say what the records say', sentences),
      ('every answer is entailed, and no other choice', answers),
    ]
  return tuple(chosen)


def ids(world: World, corpus: Corpus) -> Iterator[str]:
  """Complains of ids that occur twice."""
  del world
  for what in ('documents', 'questions'):
    counts = collections.Counter(r.id for r in getattr(corpus, what))
    for name, count in counts.items():
      if count > 1:
        yield f'{count} {what} have the id {name!r}'


def positions(world: World, corpus: Corpus) -> Iterator[str]:
  """Complains of right choices that prefer a place.

  Allowed is what chance allows: 3 standard deviations of a binomial, and 1.
  """
  del world
  groups = collections.defaultdict(list)
  for question in corpus.questions:
    shape = len(question.answers), len(question.choices)
    groups[question.kind, question.stratum, *shape].append(question.answers)
  for (kind, stratum, right, choices), placed in groups.items():
    counts = collections.Counter(a for places in placed for a in places)
    share = right / choices
    even = len(placed) * share
    most = 1 + 3 * math.sqrt(even * (1 - share))
    for place in range(choices):
      if abs(counts[place] - even) > most:
        yield (
          f'choice {place} of {choices} is right in {counts[place]} of'
          f' {len(placed)} questions of kind {kind!r} {stratum!r}; by chance it'
          f' would be in {even:.0f}, give or take {most:.0f}'
        )


def leaks(world: World, corpus: Corpus) -> Iterator[str]:
  """Complains of questions that a document holds, any choice included."""
  texts = '\n'.join(document.text for document in corpus.documents)
  for question in corpus.questions:
    may = (world.name, question.kind) in REPEATING
    # The prompt first: most are in no document, which spares the choices.
    if may or not question.prompt or question.prompt not in texts:
      continue
    for choice in question.choices:
      if question.prompt + choice in texts:
        yield f'question {question.id!r}: a document holds it with {choice!r}'


def truth(world: World, corpus: Corpus) -> Iterator[str]:
  """Complains of facts that are said to be two things, or the same twice."""
  del corpus
  entailed = [entailment.fact for entailment in world.entailed]
  sets = {
    'given': world.facts,
    'entailed': entailed,
    'contradicted': sorted(world.contradicted),
  }
  seen: dict[Fact, str] = {}
  for name, facts in sets.items():
    for fact in facts:
      if fact in seen:
        yield f'{_said(fact)} is {seen[fact]}, and again {name}'
      seen[fact] = name


def statements(world: World, corpus: Corpus) -> Iterator[str]:
  """Complains of given facts that nobody states, and of statements of others.

  So every premise is stated: premises are given facts.
  """
  given = set(world.facts)
  stated = _stated(corpus)
  for fact in world.facts:
    if fact not in stated:
      yield f'no document states {_said(fact)}'
  for document in corpus.documents:
    for fact in document.facts:
      if fact not in given:
        yield f'document {document.id!r} states {_said(fact)}, not given'


def targets(world: World, corpus: Corpus) -> Iterator[str]:
  """Complains of premises that are not stated, and of targets by their kind."""
  stated = _stated(corpus)
  premises_of = {e.fact: e.premises for e in world.entailed}
  for question in corpus.questions:
    for fact in question.premises:
      if fact not in stated:
        yield f'question {question.id!r}: its premise {_said(fact)} is unstated'
    target = question.target
    if target is None:
      continue
    if (target in stated) != (question.kind in STATED):
      yield (
        f'question {question.id!r} of kind {question.kind!r}: its target'
        f' {_said(target)} is {"" if target in stated else "not "}stated'
      )
    if target not in stated and target not in premises_of:
      yield f'question {question.id!r}: {_said(target)} does not follow'
    if premises_of.get(target, question.premises) != question.premises:
      yield f'question {question.id!r}: {_said(target)} has other premises'


def sentences(world: World, corpus: Corpus) -> Iterator[str]:
  """Complains of documents whose text the grammar reads otherwise."""
  read = grammar.reader(world.name, world)
  for document in corpus.documents:
    if read(document.text) != document.facts:
      yield f'document {document.id!r} is read as {read(document.text)}'
    if not 0 <= document.prompt_length < len(document.text):
      yield f'document {document.id!r} has a prompt longer than its text'


def answers(world: World, corpus: Corpus) -> Iterator[str]:
  """Complains of right choices that do not follow, and wrong ones that do."""
  read = grammar.reader(world.name, world)
  true = {*world.facts, *(entailment.fact for entailment in world.entailed)}
  for question in corpus.questions:
    said = [read(question.prompt + choice) for choice in question.choices]
    for i, facts in enumerate(said):
      choice = f'question {question.id!r}: choice {question.choices[i]!r}'
      if facts is None or len(facts) != 1:
        yield f'{choice} is read as {facts}, not as one fact'
      elif (facts[0] in true) != (i in question.answers):
        yield f'{choice} is {"" if facts[0] in true else "not "}entailed'
    right = [said[i] for i in question.answers]
    if question.target is not None and (question.target,) not in right:
      yield f'question {question.id!r}: no answer says its target'


def _stated(corpus: Corpus) -> set[Fact]:
  return {fact for document in corpus.documents for fact in document.facts}


def _said(fact: Fact) -> str:
  return f"'{fact.subject} {fact.relation} {fact.object}'"
