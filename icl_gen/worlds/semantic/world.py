"""Kinds: a taxonomy in nonsense words, and all that a reader can infer of it.

Every fact is told in one direction only. Asked are the facts as told, their
reversals, what follows from two premises and from more, and everything that
follows for kinds of which nothing but the kind above them is told.
"""

import collections
import functools
import itertools
import random
from collections.abc import Mapping, Sequence

from icl_gen.text import categories, lexicon
from icl_gen.types import Corpus, Document, Fact, Question, World
from icl_gen.worlds import balance, baselines, corpora, logic
from icl_gen.worlds.semantic import documents as text
from icl_gen.worlds.semantic import taxonomy

KINDS = ('rephrase', 'reversal', 'syllogism', 'deduction', 'holdout')
CHOICES = 4
_PROPERTIES = ('has', 'is')

_Target = tuple[Fact, tuple[Fact, ...]]  # and its premises


def build(
  *,
  seed: str,
  categories: int = 110,
  documents: int = 2200,
  holdouts: int = 11,
  told_backwards: float = 0.15,
  questions: int = 200,
  style: str = 'varied',
) -> tuple[World, Corpus]:
  """Draws the world and renders it.

  Args:
    seed: name of the draw; the same name gives the same bytes.
    categories: kinds of the taxonomy, of 110.
    documents: how many, at least one for every category.
    holdouts: lowest kinds of which only the parent is told.
    told_backwards: share of the facts that are told from the other side
      ('wicks are found on gruds').
    questions: at most so many of each kind but 'holdout', which asks all that
      follows. Left out is what has no fair wrong choices ('unasked' in the
      manifest).
    style: 'plain' or 'varied' documents; see `semantic_text.documents`.

  Raises:
    ValueError: for sizes that are not possible, or that leave nothing to ask.
  """
  if categories < 1:
    raise ValueError(
      f'empty world: semantic with categories={categories}; give 1 to'
      f' {len(taxonomy.kinds())}'
    )
  if not 0 <= told_backwards <= 1:
    raise ValueError(f'told_backwards={told_backwards}; allowed are 0 to 1')
  kinds = taxonomy.part(categories)
  named = _words(seed=seed)
  held = _holdouts(kinds, holdouts, seed=seed)
  told = {
    named[kind.name]: _told(kind, held, named, told_backwards, seed=seed)
    for kind in kinds
  }
  world = _world(told)
  written = text.documents(told, count=documents, style=style, seed=seed)
  asked, unasked = _questions(
    world, {named[name] for name in held}, written, most=questions, seed=seed
  )
  if not asked:
    raise ValueError(
      f'semantic with categories={categories} is too small to ask anything'
      f' with {CHOICES} choices; give more categories'
    )
  sizes = {'categories': categories, 'holdouts': holdouts, 'style': style}
  sizes |= {'facts': len(world.facts), 'told_backwards': told_backwards}
  sizes |= {'unasked': unasked}
  return world, corpora.corpus(
    'semantic', written, asked, world='semantic', seed=seed, sizes=sizes
  )


# --- what is true -------------------------------------------------------------


def _words(*, seed: str) -> dict[str, str]:
  """A nonsense word, inflected, for every real one; for any size the same."""
  every = taxonomy.kinds().values()
  nouns = [*taxonomy.kinds(), *(p for kind in every for p in kind.parts)]
  others = [a for kind in every for a in kind.adjectives]
  real = dict.fromkeys([*nouns, *others, *taxonomy.RELATIONS])
  drawn = lexicon.sample(len(real), seed=f'{seed}/words', letters=(4, 5))
  return {
    name: categories.plural(word) if name in set(nouns) else word
    for name, word in zip(real, drawn, strict=True)
  }


def _holdouts(
  kinds: Sequence[taxonomy.Kind], count: int, *, seed: str
) -> tuple[str, ...]:
  """Some of the kinds that are below one kind and above none."""
  parents = {kind.parent for kind in kinds}
  lowest = [k.name for k in kinds if k.parent and k.name not in parents]
  if not 0 <= count <= len(lowest):
    raise ValueError(
      f'{count} holdouts of {len(kinds)} categories are not possible: they are'
      f' lowest kinds, of which there are {len(lowest)}. Give 0 to'
      f' {len(lowest)}, or more categories.'
    )
  # Those with little to do with others, so that the world keeps its relations.
  related = collections.Counter(
    name
    for kind in kinds
    for _, other in kind.relations
    for name in (kind.name, other)
  )
  rng = random.Random(f'{seed}/holdouts')
  rng.shuffle(lowest)
  lowest.sort(key=lambda name: related[name])
  return tuple(rng.sample(lowest[: max(count, len(lowest) // 2)], count))


def _told(
  kind: taxonomy.Kind,
  held: Sequence[str],
  named: Mapping[str, str],
  told_backwards: float,
  *,
  seed: str,
) -> tuple[Fact, ...]:
  """What is told of a kind, each fact in its one direction."""
  noun = named[kind.name]
  facts = [Fact(noun, 'is a', named[kind.parent])] if kind.parent else []
  if kind.name in held:
    return tuple(facts)
  facts += [Fact(noun, 'is', named[word]) for word in kind.adjectives]
  facts += [Fact(noun, 'has', named[word]) for word in kind.parts]
  facts += [
    Fact(noun, named[relation], named[other])
    for relation, other in kind.relations
    if other not in held
  ]
  # Named by the fact, so that a change elsewhere turns no fact around.
  turned = [
    random.Random(f'{seed}/direction/{fact}').random() < told_backwards
    for fact in facts
  ]
  return tuple(
    categories.flip(fact) if turn else fact
    for fact, turn in zip(facts, turned, strict=True)
  )


def rules(facts: Sequence[Fact]) -> tuple[logic.Rule, ...]:
  """Whatever is said of a kind holds below it and can be told backwards."""
  relations = dict.fromkeys(
    ['is a', *(categories.base(f.relation) for f in facts)]
  )
  return tuple(
    rule
    for relation in relations
    for rule in (
      *logic.inverse(relation, categories.inverse(relation)),
      logic.Chain('is a', relation, relation),
    )
  )


def _world(told: Mapping[str, Sequence[Fact]]) -> World:
  """The closure; and the taxonomy is a tree whose branches do not meet, so a
  kind is of those above it and of no other."""
  facts = tuple(itertools.chain(*told.values()))
  entailed = logic.closure(facts, rules(facts))
  true = {*facts, *(entailment.fact for entailment in entailed)}
  wrong = {Fact(*pair) for pair in itertools.product(told, ['is a'], told)}
  wrong |= {categories.flip(fact) for fact in wrong}
  return World('semantic', facts, entailed, frozenset(wrong - true))


# --- what is asked ------------------------------------------------------------


def stratum(fact: Fact) -> str:
  """Whether a kind is related to a property or to another kind."""
  one = categories.base(fact.relation) in _PROPERTIES
  return 'property' if one else 'relation'


def _targets(world: World, held: set[str]) -> dict[str, list[_Target]]:
  """What to ask for, by kind of question."""
  targets: dict[str, list[_Target]] = {kind: [] for kind in KINDS}
  for fact in world.facts:
    targets['rephrase'].append((fact, (fact,)))
    targets['reversal'].append((categories.flip(fact), (fact,)))
  for entailment in world.entailed:
    fact, premises = entailment.fact, entailment.premises
    if categories.is_inverse(fact.relation) or len(premises) == 1:
      continue
    if fact.subject in held:
      targets['holdout'].append((fact, premises))
    elif not any(
      categories.is_inverse(premise.relation) for premise in premises
    ):
      # Else these kinds would ask for reversals as well.
      kind = 'syllogism' if len(premises) == 2 else 'deduction'
      targets[kind].append((fact, premises))
  return targets


def _questions(
  world: World,
  held: set[str],
  documents: Sequence[Document],
  *,
  most: int,
  seed: str,
) -> tuple[list[Question], dict[str, int]]:
  """The questions, and how many targets of each kind have no fair choices
  (none are counted of a kind that has all its `most` questions)."""
  lures, made, unasked = _Lures(world, documents), [], {}
  for kind, targets in _targets(world, held).items():
    asked = collections.Counter()
    waiting = _in_turns(targets, seed=f'{seed}/{kind}')
    while waiting:
      before, left_out = len(waiting), []
      for fact, premises in waiting:
        if kind != 'holdout' and asked.total() == most:
          break
        group = f'{kind}-{stratum(fact)}'
        wrong = lures.draw(fact, group=group, seed=f'{seed}/{kind}')
        if not wrong:
          left_out.append((fact, premises))
          continue
        made.append(
          _question(kind, asked[group], fact, premises, wrong, seed=seed)
        )
        asked[group] += 1
      # What others have been asked since may make room for it.
      waiting = left_out if len(left_out) < before else []
      unasked[kind] = len(left_out)
  return made, unasked


def _in_turns(targets: Sequence[_Target], *, seed: str) -> list[_Target]:
  """In random order, a property, a relation, and so on while there are both."""
  by_stratum = {'property': [], 'relation': []}
  for target in random.Random(seed).sample(targets, len(targets)):
    by_stratum[stratum(target[0])].append(target)
  turns = itertools.zip_longest(*by_stratum.values())
  return [target for target in itertools.chain(*turns) if target]


def _question(
  kind: str,
  i: int,
  fact: Fact,
  premises: tuple[Fact, ...],
  wrong: Sequence[str],
  *,
  seed: str,
) -> Question:
  name = f'{kind}-{stratum(fact)}'
  said = categories.said(fact)
  if kind == 'rephrase':
    # The plain form stands in the documents; this is another way to say it.
    preamble = balance.nth(text.QUESTION_PREAMBLES, i, seed=f'{seed}/preambles')
    said = f'{preamble} {said}'
  prompt, right = categories.sentence(said).removesuffix('.').rsplit(' ', 1)
  assert right == fact.object, (right, fact)
  choices, answers = balance.arrange(
    [f' {right}.'],
    [f' {word}.' for word in wrong],
    index=i,
    seed=f'{seed}/{name}',
  )
  return Question(
    id=f'{name}-{i:04d}',
    prompt=prompt,
    choices=choices,
    answers=answers,
    kind=kind,
    premises=premises,
    target=fact,
    stratum=stratum(fact),
  )


class _Lures:
  """Wrong choices: true of another, and about as likely as the right one.

  As likely, that is, to a reader who knows how often each choice follows the
  prompt's words behind its subject. In a group of questions, such a reader
  finds the right choice as often as by guessing: some wrong choices are
  likelier, and a target for which the world has no such choices is left out.
  """

  def __init__(self, world: World, documents: Sequence[Document]):
    facts = [*world.facts, *(e.fact for e in world.entailed)]
    self._true = set(facts)
    self._objects: dict[str, dict[str, None]] = {}
    for fact in facts:
      self._objects.setdefault(fact.relation, {})[fact.object] = None
    self._merit = functools.cache(
      baselines.ngram_merit((document.text for document in documents), order=4)
    )
    # By group: that reader's hits above chance, and how often so many wrong
    # choices were likelier.
    self._excess = collections.Counter()
    self._likelier = collections.Counter()

  def draw(self, fact: Fact, *, group: str, seed: str) -> list[str]:
    """CHOICES - 1 objects; none where there are not so many.

    Args:
      fact: what the right choice states.
      group: the questions among which likelihood is to say nothing.
      seed: name of the draw.
    """
    count = CHOICES - 1
    phrase = categories.said(fact).rsplit(' ', 1)[0].split(fact.subject)[1]
    right = self._merit(phrase, f' {fact.object}.')
    merit = {
      word: self._merit(phrase, f' {word}.')
      for word in self._objects[fact.relation]
      if word != fact.subject
      and Fact(fact.subject, fact.relation, word) not in self._true
    }
    words = random.Random(f'{seed}/{fact}').sample([*merit], len(merit))
    words.sort(key=lambda word: abs(merit[word] - right))
    above = [word for word in words if merit[word] > right]
    others = [word for word in words if merit[word] <= right]
    possible = [
      n for n in range(CHOICES) if n <= len(above) and count - n <= len(others)
    ]
    wanted = [n for n in possible if (n > 0) == (self._excess[group] > 0)]
    if not wanted:
      return []
    n = min(wanted, key=lambda n: self._likelier[group, n])
    drawn = above[:n] + others[: count - n]
    self._likelier[group, n] += 1
    ties = sum(merit[word] == right for word in drawn)
    self._excess[group] += (0 if n else 1 / (1 + ties)) - 1 / CHOICES
    return drawn
