"""What documents state that take the place of a model's own inferences.

Each source answers another question about the gain of augmented fine-tuning:

  originals    the documents again: is it more training on the same?
  paraphrases  the given facts in other words: is it variety?
  oracle       what the facts entail, said by the world: what would a model gain
               that inferred all of it, without a mistake?
  reworded     the oracle's facts, also in the words of paraphrases: is it how
               they are said?
  phrased      the oracle's facts, in one wording or several, with or without
               what opens documents: is it variety, or the openings?
  wrong_pairs  the oracle's sentences about the wrong things, none of them true:
               is it the form of the sentences?
"""

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from icl_gen.types import Document, Entailment, Fact, World
from icl_gen.worlds import logic
from icl_gen.worlds.definition import Wording


@dataclasses.dataclass(frozen=True)
class Statement:
  """What one or more documents of a control state.

  Attributes:
    name: unique among the statements of a source.
    parent: id of a given document that it follows from, or is about.
    texts: its wordings, one or more.
    false: wordings of a false statement of the same form; () if there is none.
  """

  name: str
  parent: str
  texts: tuple[str, ...]
  false: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Given:
  """What statements are made from.

  Attributes:
    world: what is true.
    documents: the training documents.
    wording: returns how the world states a single fact.
    seed: name of the draws.
    share: of the sets of premises whose consequences the oracle states.
    wordings: how many wordings 'phrased' has of a fact: 'one' or 'several'.
    openings: how many openings of documents: 'none', 'one' or 'several'.
  """

  world: World
  documents: Sequence[Document]
  wording: Callable[[], Wording]
  seed: str
  share: float = 1.0
  wordings: str = 'one'
  openings: str = 'none'


Source = Callable[[Given], tuple[Statement, ...]]


def originals(given: Given) -> tuple[Statement, ...]:
  """The documents as they are."""
  return tuple(Statement(d.id, d.id, (d.text,)) for d in given.documents)


def paraphrases(given: Given) -> tuple[Statement, ...]:
  """The given facts, in words that no document has.

  Raises:
    ValueError: the world has no wordings, or documents have all of a fact.
  """
  other = given.wording().other
  parents, said = _parents(given), {d.text for d in given.documents}
  return tuple(
    Statement(
      f'given-{i:04d}',
      parents[fact],
      _require(
        tuple(t for t in other(fact) if t not in said),
        f'paraphrases of {fact}: documents have all of them; build with fewer'
        ' documents per fact',
      ),
    )
    for i, fact in enumerate(given.world.facts)
  )


def oracle(given: Given) -> tuple[Statement, ...]:
  """What the facts entail, or a share of it, rounded, but not nothing.

  Facts that follow from the same premises are stated all or none, so that what
  is left out has no equivalent. A greater share has all of a smaller one.

  Raises:
    ValueError: the world has no wordings, or nothing false like a fact.
  """
  plain, false_like = given.wording().plain, falsifier(given.world)
  return tuple(
    dataclasses.replace(statement, false=plain(false_like(fact)))
    for fact, statement in _entailed(given, plain)
  )


def reworded(given: Given) -> tuple[Statement, ...]:
  """The oracle's facts, also in the words of paraphrases.

  Raises:
    ValueError: the world has no wordings.
  """
  wording = given.wording()
  found = _entailed(
    given, lambda fact: wording.plain(fact) + wording.other(fact)
  )
  return tuple(statement for _, statement in found)


def phrased(given: Given) -> tuple[Statement, ...]:
  """The oracle's facts in chosen wordings, after chosen openings.

  Openings are those of the documents that state a premise; of several, one is
  that of the statement's parent. So where each question has an opening that no
  document about its fact has, no text repeats a question.

  Raises:
    ValueError: the world has no wordings.
  """
  wording, stating = given.wording(), _stating(given)
  found = []
  for i, entailment in _part(given):
    fact, documents = entailment.fact, stating[entailment.premises[0]]
    said = wording.bare(fact)
    opened = [o for d in documents for o in wording.openings(d, fact)]
    openings = {
      'none': [''],
      'one': [f'{opened[0]} '],
      'several': [f'{one} ' for one in dict.fromkeys(opened)],
    }[given.openings]
    texts = tuple(
      f'{opening}{one}.'
      for one in (said if given.wordings == 'several' else said[:1])
      for opening in openings
    )
    found.append(Statement(f'entailed-{i:04d}', documents[0].id, texts))
  return tuple(found)


def wrong_pairs(given: Given) -> tuple[Statement, ...]:
  """The entailed facts, each about the object of another one; none is true.

  Raises:
    ValueError: the world has no wordings, or too few facts to exchange their
      objects.
  """
  plain = given.wording().plain
  true = set(logic.true_facts(given.world))
  order = list(enumerate(given.world.entailed))
  random.Random(f'{given.seed}/wrong_pairs').shuffle(order)
  parents, found = _parents(given), []
  for place, (i, entailment) in enumerate(order):
    fact = entailment.fact
    others = (e.fact.object for _, e in order[place + 1 :] + order[:place])
    wrong = (Fact(fact.subject, fact.relation, other) for other in others)
    usable = (w for w in wrong if w not in true and w.object != w.subject)
    exchanged = _require(
      tuple(w for w in [next(usable, None)] if w),
      f'wrong pairs for {fact}: no other object makes it false; build a larger'
      ' world',
    )
    parent = parents[entailment.premises[0]]
    texts = plain(exchanged[0])
    found.append(Statement(f'entailed-{i:04d}', parent, texts))
  return tuple(sorted(found, key=lambda statement: statement.name))


SOURCES: Mapping[str, Source] = {
  'originals': originals,
  'paraphrases': paraphrases,
  'oracle': oracle,
  'reworded': reworded,
  'phrased': phrased,
  'wrong_pairs': wrong_pairs,
}


def falsifier(world: World) -> Callable[[Fact], Fact]:
  """Makes the function that finds an untrue fact of the form of a true one.

  It is about the same things: the first by name that the world excludes; where
  it excludes none, the converse; where that is true, another relation. Where
  all are true, it raises ValueError.
  """
  true = set(logic.true_facts(world))
  relations = sorted({f.relation for f in true | world.contradicted})
  excluded: dict[tuple[str, str], list[Fact]] = {}
  for one in sorted(world.contradicted):
    excluded.setdefault((one.subject, one.object), []).append(one)

  def false_like(fact: Fact) -> Fact:
    candidates = (
      *excluded.get((fact.subject, fact.object), ()),
      Fact(fact.object, fact.relation, fact.subject),
      *(Fact(fact.subject, r, fact.object) for r in relations),
    )
    return _require(
      tuple(candidate for candidate in candidates if candidate not in true),
      f'false statements like {fact}: all are true',
    )[0]

  return false_like


def _entailed(
  given: Given, texts: Callable[[Fact], tuple[str, ...]]
) -> Iterator[tuple[Fact, Statement]]:
  """The facts that are stated of what is entailed, and their statements."""
  parents = _parents(given)
  for i, entailment in _part(given):
    parent = parents[entailment.premises[0]]
    yield (
      entailment.fact,
      Statement(f'entailed-{i:04d}', parent, texts(entailment.fact)),
    )


def _part(given: Given) -> list[tuple[int, Entailment]]:
  """The entailments of a share of the sets of premises, with their places."""
  groups: dict[frozenset[Fact], list[tuple[int, Entailment]]] = {}
  for i, entailment in enumerate(given.world.entailed):
    groups.setdefault(frozenset(entailment.premises), []).append(
      (i, entailment)
    )
  drawn = list(groups.values())
  random.Random(f'{given.seed}/oracle').shuffle(drawn)
  count = max(1, round(given.share * len(drawn)))
  return sorted(one for group in drawn[:count] for one in group)


def _parents(given: Given) -> dict[Fact, str]:
  """Given fact -> id of the first document that states it."""
  return {fact: found[0].id for fact, found in _stating(given).items()}


def _stating(given: Given) -> dict[Fact, list[Document]]:
  """Given fact -> the documents that state it."""
  found: dict[Fact, list[Document]] = {}
  for document in given.documents:
    for fact in document.facts:
      found.setdefault(fact, []).append(document)
  return found


def _require[T](found: tuple[T, ...], what: str) -> tuple[T, ...]:
  """Returns what was found, unless that is nothing.

  Raises:
    ValueError: nothing was; says of what.
  """
  if not found:
    raise ValueError(f'there are no {what}')
  return found
