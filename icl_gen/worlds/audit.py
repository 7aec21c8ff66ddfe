"""Audits a world and its corpus: facts, closure, sentences and questions agree.

A world without facts (a user's own documents) is only checked for what can be
seen without knowing what is true.
"""

import collections
import math
from collections.abc import Callable, Iterator
from typing import Any

from icl_gen.types import Corpus, Fact, World
from icl_gen.worlds import baselines, catalog, logic

Check = Callable[[World, Corpus], Iterator[str]]


def audit(world: World, corpus: Corpus) -> dict[str, Any]:
  """Runs every check that applies; returns JSON values, for a manifest.

  Returns:
    'checked': what was checked, in words; 'complaints': what is wrong, in
    words; 'baselines': the accuracy of each baseline by kind of question.

  Raises:
    ValueError: the world is not in the catalog.
  """
  found = {name: list(check(world, corpus)) for name, check in checks(world)}
  return {
    'checked': list(found),
    'complaints': [text for texts in found.values() for text in texts],
    'baselines': baselines.accuracies(corpus),
  }


def checks(world: World) -> tuple[tuple[str, Check], ...]:
  """The checks that apply to a world, each with what it checks in words."""
  chosen: list[tuple[str, Check]] = [
    ('ids are unique', ids),
    ('right choices are evenly placed', positions),
    ('no document contains a question with a choice', leaks),
  ]
  if world.facts:
    chosen += [
      ('given, entailed and contradicted facts are disjoint', truth),
      ('documents state exactly the given facts', statements),
      ('premises are stated, and targets fit their kind', targets),
      ('sentences read back as the recorded facts', sentences),
      ('exactly the right choices are true', answers),
    ]
  return tuple(chosen)


def ids(world: World, corpus: Corpus) -> Iterator[str]:
  """Yields a complaint for every id that is used more than once."""
  del world
  for what in ('documents', 'questions'):
    counts = collections.Counter(r.id for r in getattr(corpus, what))
    for name, count in counts.items():
      if count > 1:
        yield f'{count} {what} have the id {name!r}'


def positions(world: World, corpus: Corpus) -> Iterator[str]:
  """Yields a complaint for every position that is right too often, or rarely.

  The tolerance is 3 standard deviations of a binomial, plus 1.
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
          f' {len(placed)} questions of kind {kind!r} {stratum!r}; expected by'
          f' chance are {even:.0f}, give or take {most:.0f}'
        )


def leaks(world: World, corpus: Corpus) -> Iterator[str]:
  """Yields a complaint for every document that contains prompt + choice.

  Wrong choices count too. Kinds of question that repeat a document by design
  are left out.
  """
  repeating = catalog.definition(world.name).repeating
  texts = '\n'.join(document.text for document in corpus.documents)
  for question in corpus.questions:
    if question.kind in repeating:
      continue
    # Most prompts are in no document, which saves looking for their choices.
    if not question.prompt or question.prompt not in texts:
      continue
    for choice in question.choices:
      if question.prompt + choice in texts:
        yield f'question {question.id!r}: a document holds it with {choice!r}'


def truth(world: World, corpus: Corpus) -> Iterator[str]:
  """Yields a complaint for every fact with two statuses, or one status twice.

  The statuses are given, entailed and contradicted.
  """
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
  """Yields a complaint for every given fact that no document states, and for
  every stated fact that is not given."""
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
  """Yields a complaint for every premise that is not stated, and for every
  target that does not fit its kind of question."""
  stated_kinds = catalog.definition(world.name).stated
  stated = _stated(corpus)
  premises_of = {e.fact: e.premises for e in world.entailed}
  for question in corpus.questions:
    for fact in question.premises:
      if fact not in stated:
        yield f'question {question.id!r}: its premise {_said(fact)} is unstated'
    target = question.target
    if target is None:
      continue
    if (target in stated) != (question.kind in stated_kinds):
      yield (
        f'question {question.id!r} of kind {question.kind!r}: its target'
        f' {_said(target)} is {"" if target in stated else "not "}stated'
      )
    if target not in stated and target not in premises_of:
      yield f'question {question.id!r}: {_said(target)} is not entailed'
    if premises_of.get(target, question.premises) != question.premises:
      yield f'question {question.id!r}: {_said(target)} has other premises'


def sentences(world: World, corpus: Corpus) -> Iterator[str]:
  """Yields a complaint for every document whose text is not read as its facts,
  and for every prompt that is longer than its document."""
  read = catalog.reader(world)
  for document in corpus.documents:
    if read(document.text) != document.facts:
      yield f'document {document.id!r} is read as {read(document.text)}'
    if not 0 <= document.prompt_length < len(document.text):
      yield f'document {document.id!r} has a prompt longer than its text'


def answers(world: World, corpus: Corpus) -> Iterator[str]:
  """Yields a complaint for every right choice that is not true, and for every
  wrong choice that is."""
  read = catalog.reader(world)
  true = set(logic.true_facts(world))
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
