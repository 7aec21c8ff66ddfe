"""All families of episodes: facts over fresh words, and what follows from them.

A family draws facts and states them in documents. Its episode can then draw any
number of statements that follow: restatements, reversals, conclusions.
"""

import functools
import random
import string
from collections.abc import Callable, Iterable

from icl_gen.pretraining import (
  compared,
  english,
  episode,
  inferring,
  marks,
  people,
  taxonomies,
  transforming,
  wordings,
)
from icl_gen.text import abilities, quantified
from icl_gen.worlds import syllogism

_CHARACTERS = string.ascii_letters + string.digits

# --- syllogisms --------------------------------------------------------------


def syllogisms(
  rng: random.Random,
  count: int,
  *,
  forms: str = 'all',
  source: episode.Source = episode.SEEN,
) -> episode.Episode:
  """Two premises about three terms, and conclusions about the outer two.

  Statements are conclusions, or repeat the first premise of a document.

  Args:
    rng: source of all random draws.
    count: number of premise pairs.
    forms: one of `forms.split.STREAMS`; which premise pairs there are.
    source: of words.
  """
  words = source.words(rng, 3 * count)
  documents: list[str] = []
  ends: list[tuple[str, str]] = []
  conclusions: list[list[str]] = []
  firsts: list[tuple[list[str], str]] = []
  by_class = list(syllogism.premise_pairs(held_out=forms == 'all').values())
  for i in range(count):
    names = dict(zip('ABC', words[3 * i : 3 * i + 3], strict=True))
    premises = rng.choice(rng.choice(by_class))
    said = [_said(premise, names) + '.' for premise in premises]
    rng.shuffle(said)
    order = rng.sample(list(names.values()), 3)
    documents.append(f'{quantified.relationships(*order)} {" ".join(said)}')
    firsts.append((order, said[0]))
    ends.append((names['A'], names['C']))
    conclusions.append(
      [_said(c, names) for c in syllogism.conclusions(*premises)]
    )

  def conclude(rng: random.Random, i: int, mark: str) -> str:
    one, other = rng.sample(ends[i], 2)
    lead = quantified.relationships(f'{mark}{one}', other)
    return f'{lead} {rng.choice(conclusions[i])}.'

  def ask(rng: random.Random, i: int) -> str:
    if rng.random() < 0.7:
      return conclude(rng, i, marks.UNPREDICTABLE)
    (one, *others), said = firsts[i]
    return (
      f'{quantified.relationships(marks.UNPREDICTABLE + one, *others)} {said}'
    )

  def infer(rng: random.Random, i: int) -> list[str]:
    return [conclude(rng, i, ''), conclude(rng, i, '')]

  return episode.Episode(documents, ask, infer)


def _said(statement: syllogism.Statement, names: dict[str, str]) -> str:
  quantifier, subject, predicate = statement
  return quantified.statement(quantifier, names[subject], names[predicate])


# --- inheritance -------------------------------------------------------------


def inheritance(
  rng: random.Random, count: int, *, source: episode.Source = episode.SEEN
) -> episode.Episode:
  """Chains of categories; each inherits the ability at the top of its chain.

  What `infer` draws about a document says the ability of its chain, which only
  the last document of the chain mentions: it follows from all of them, not from
  this one, as `Episode` promises. The embedded models were pretrained on these
  rows, so they stay as they are; curricula that measure skills have 'inherited'
  of `inferring` instead.
  """
  documents: list[str] = []
  askable: list[str] = []
  while len(documents) < count:
    chain = source.words(rng, rng.randint(2, 4))
    ability = rng.choice(abilities.ABILITIES)
    said = [
      abilities.kind_of(*pair) for pair in zip(chain, chain[1:], strict=False)
    ]
    said.append(abilities.can(chain[-1], ability))
    askable += [abilities.can(f'~{category}', ability) for category in chain]
    documents += [marks.removed(source.sentence(rng, s, 0.5)) for s in said]
  order = list(range(len(documents)))
  rng.shuffle(order)

  def ask(rng: random.Random, i: int) -> str:
    return source.sentence(rng, askable[i], 0.3)

  def infer(rng: random.Random, i: int) -> list[str]:
    statement = marks.removed(askable[order[i]])
    return [source.sentence(rng, statement, 0.5) for _ in range(2)]

  return episode.Episode([documents[i] for i in order], ask, infer)


# --- filler ------------------------------------------------------------------


def filler(
  rng: random.Random, count: int, *, forms: str = 'all'
) -> episode.Episode:
  """Nouns with random codes to look up, and English-like sentences.

  Args:
    rng: source of all random draws.
    count: number of codes.
    forms: one of `forms.split.STREAMS`; which verbs there are.
  """
  verbs = english.VERBS if forms == 'all' else wordings.VERBS
  nouns = rng.sample(english.NOUNS, count)
  codes = [
    ''.join(rng.choices(_CHARACTERS, k=rng.randint(2, 7))) for _ in range(count)
  ]

  def sentence(rng: random.Random) -> str:
    return (
      f'The {rng.choice(english.ADJECTIVES)} {rng.choice(english.NOUNS)}'
      f' {rng.choice(verbs)} the {rng.choice(english.NOUNS)}'
      f' {rng.choice(english.PLACES)} the {rng.choice(english.NOUNS)}.'
    )

  def about(i: int, mark: str) -> str:
    return f'The code of the {mark}{nouns[i]} is {codes[i]}.'

  def ask(rng: random.Random, i: int) -> str:
    if rng.random() < 0.2:
      return marks.every_word(sentence(rng))
    return about(i, marks.UNPREDICTABLE)

  def infer(rng: random.Random, i: int) -> list[str]:
    return [about(i, ''), f'{codes[i]} is the code of the {nouns[i]}.']

  return episode.Episode([about(i, '') for i in range(count)], ask, infer)


# Draws an episode with a number of facts.
Family = Callable[[random.Random, int], episode.Episode]


def require_families(
  names: Iterable[str], *, reversals: float, flag: str = 'reversals'
) -> None:
  """Checks the names of families.

  Args:
    names: the families of a stage.
    reversals: as for `families`.
    flag: what sets it in the config, for the messages.

  Raises:
    ValueError: the share of reversals is none, or there is no family of a name,
      or none with another share.
  """
  if not 0 <= reversals <= 1:
    raise ValueError(f'--config.{flag}={reversals}; give 0 to 1')
  known = families(reversals=reversals)
  for name in names:
    if name not in known:
      raise ValueError(
        f'--config.stages: there is no family {name!r} with'
        f' --config.{flag}={reversals}; there are {", ".join(known)}'
      )


@functools.cache
def families(
  forms: str = 'all',
  *,
  reversals: float = compared.REVERSALS,
  source: episode.Source = episode.SEEN,
) -> dict[str, Family]:
  """The families by name.

  The names are those of configs/pretrain.py. Families are drawn by sorted name,
  so renaming one would change the rows.

  Args:
    forms: one of `forms.split.STREAMS`: 'all' repeats the recipe of the
      embedded models, 'pretraining' leaves out what is held out.
    reversals: share of the statements about comparisons that reverse one. With
      less than a half, no other family is there: they have reversals too.
    source: of words and wordings; syllogisms, inheritance and kinds are worded
      in one way only.
  """
  comparing = functools.partial(
    compared.compared, reversals=reversals, source=source
  )
  if reversals < compared.HALF:
    return {'comparisons': comparing}
  persons = functools.partial(people.people, forms=forms, source=source)
  return {
    'comparisons': comparing,
    'syllogisms': functools.partial(syllogisms, forms=forms, source=source),
    # If a document mentions the name first, the model has to go back from the
    # description to the name before it, which it learns last.
    'people': functools.partial(persons, name_first=0.8),
    'described': functools.partial(persons, name_first=0.3),
    'inheritance': functools.partial(inheritance, source=source),
    'kinds': functools.partial(taxonomies.taxonomy, source=source),
    'filler': functools.partial(filler, forms=forms),
    'transforms': functools.partial(transforming.draw, source=source),
    **{
      skill: functools.partial(inferring.draw, skill=skill, source=source)
      for skill in inferring.NAMES
    },
  }
