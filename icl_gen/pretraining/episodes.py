"""Episodes: a few facts over fresh words, and what a reader infers from them.

A family draws facts, says them in documents, and can then state, as often as
asked, something that follows: a restatement, a reversal, a conclusion. In the
texts, '~' before a word marks it as unpredictable (the word that opens a new
statement): such words, and the documents themselves, get a small loss weight.
'^' marks the one word that a reversal has to turn around.
"""

import dataclasses
import random
import string
from collections.abc import Callable, Sequence

from icl_gen.pretraining import english
from icl_gen.worlds import lexicon, phrasings, syllogism

UNPREDICTABLE = '~'
DECISIVE = '^'
_MARKS = str.maketrans('', '', UNPREDICTABLE + DECISIVE)
_CHARACTERS = string.ascii_letters + string.digits


@dataclasses.dataclass(frozen=True)
class Episode:
  """Facts in words.

  Attributes:
    documents: what is said, one text per fact or group of facts.
    ask: a statement, marked, that follows from document i (and others).
    infer: the statements that follow from document i, in a fixed order.
  """

  documents: Sequence[str]
  ask: Callable[[random.Random, int], str]
  infer: Callable[[random.Random, int], list[str]]


def _preamble(rng: random.Random, probability: float) -> str:
  if rng.random() > probability:
    return ''
  return (
    ' '.join(f'~{w}' for w in rng.choice(phrasings.PREAMBLES).split()) + ' '
  )


def _sentence(rng: random.Random, statement: str, probability: float) -> str:
  return f'{_preamble(rng, probability)}{statement}.'


def _mark(text: str) -> str:
  """Marks every word as unpredictable."""
  return ' '.join(f'~{word}' for word in text.split(' '))


def _fresh_words(rng: random.Random, count: int) -> list[str]:
  return rng.sample(lexicon.words(evaluation=False), count)


# --- comparisons -------------------------------------------------------------


def comparisons(rng: random.Random, count: int) -> Episode:
  """'glon are more dangerous than troff', and the other way around."""
  words = _fresh_words(rng, 2 * count)
  facts = [
    (
      words[2 * i],
      rng.choice(('more', 'less')),
      rng.choice(phrasings.FEATURES),
      words[2 * i + 1],
    )
    for i in range(count)
  ]

  def reverse(fact):
    one, degree, feature, other = fact
    return other, 'less' if degree == 'more' else 'more', feature, one

  def state(rng, fact, *, mark: str, preamble: float) -> str:
    one, degree, feature, other = fact
    degree = DECISIVE + degree
    statement = phrasings.comparison(mark + one, degree, feature, other)
    return _sentence(rng, statement, preamble)

  def ask(rng: random.Random, i: int) -> str:
    fact = facts[i]
    if rng.random() < 0.7:
      fact = reverse(fact)
    if rng.random() < 0.1:
      return _yes_or_no(rng, fact)
    return state(rng, fact, mark=UNPREDICTABLE, preamble=0.4)

  def infer(rng: random.Random, i: int) -> list[str]:
    return [
      state(rng, facts[i], mark='', preamble=0.7),
      state(rng, reverse(facts[i]), mark='', preamble=0.7),
    ]

  documents = [
    _sentence(rng, phrasings.comparison(*fact), 0.9).translate(_MARKS)
    for fact in facts
  ]
  return Episode(documents, ask, infer)


def _yes_or_no(rng, fact) -> str:
  one, degree, feature, other = fact
  answer = 'Yes'
  if rng.random() < 0.5:
    answer, degree = 'No', 'less' if degree == 'more' else 'more'
  return f'Q: ~are ~{one} ~{degree} {feature} than {other}? A: {answer}.'


# --- syllogisms --------------------------------------------------------------


def syllogisms(rng: random.Random, count: int) -> Episode:
  """Two premises about three kinds, and the conclusion about the outer two."""
  words = _fresh_words(rng, 3 * count)
  documents, ends, conclusions = [], [], []
  by_class = list(syllogism.forms().values())
  for i in range(count):
    names = dict(zip('ABC', words[3 * i : 3 * i + 3], strict=True))
    premises = rng.choice(rng.choice(by_class))
    said = [_said(premise, names) + '.' for premise in premises]
    rng.shuffle(said)
    order = rng.sample(list(names.values()), 3)
    documents.append(f'{phrasings.relationships(*order)} {" ".join(said)}')
    ends.append((names['A'], names['C']))
    conclusions.append(
      [_said(c, names) for c in syllogism.conclusions(*premises)]
    )

  def conclude(rng: random.Random, i: int, mark: str) -> str:
    one, other = rng.sample(ends[i], 2)
    lead = phrasings.relationships(f'{mark}{one}', other)
    return f'{lead} {rng.choice(conclusions[i])}.'

  def ask(rng: random.Random, i: int) -> str:
    return conclude(rng, i, UNPREDICTABLE)

  def infer(rng: random.Random, i: int) -> list[str]:
    return [conclude(rng, i, ''), conclude(rng, i, '')]

  return Episode(documents, ask, infer)


def _said(statement: syllogism.Statement, names: dict[str, str]) -> str:
  quantifier, subject, predicate = statement
  return phrasings.quantified(quantifier, names[subject], names[predicate])


# --- names and descriptions --------------------------------------------------


def _syllables(rng: random.Random, count: int) -> str:
  return ''.join(
    rng.choice('bcdfghjklmnprstvwz')
    + rng.choice('aeiou')
    + rng.choice(('', '', 'n', 'r', 'l', 's', 't', 'm', 'th', 'ck'))
    for _ in range(count)
  )


def name_of_person(rng: random.Random) -> str:
  """A fresh name: nonsense, made of syllables, or random characters."""
  style = rng.random()
  if style < 0.35:
    return lexicon.title(_fresh_words(rng, 1))
  if style < 0.75:
    return lexicon.title(_fresh_words(rng, 2))
  if style < 0.95:
    return lexicon.title([_syllables(rng, rng.randint(1, 3)) for _ in range(2)])
  return ''.join(rng.choices(_CHARACTERS, k=rng.randint(2, 6)))


def description_of_person(rng: random.Random) -> str:
  """A fresh description: by a nonsense title, or by English words alone."""
  adjective = rng.choice(phrasings.ADJECTIVES)
  role, work = rng.choice(phrasings.ROLES)
  if rng.random() < 0.65:
    title = lexicon.title(_fresh_words(rng, 1))
    return phrasings.description(adjective, role, work, title)
  nouns = rng.sample(english.NOUNS, 2)
  qualities = rng.sample(english.ADJECTIVES, 2)
  if rng.random() < 0.5:
    return (
      f'the {qualities[0]} {role} who {rng.choice(english.VERBS)} the'
      f' {qualities[1]} {nouns[0]} {nouns[1]}'
    )
  return f'the {role} of the {qualities[0]} {nouns[0]} {nouns[1]}'


def people(rng: random.Random, count: int) -> Episode:
  """Names with descriptions, said in one order and asked in both."""
  names = _distinct(rng, name_of_person, count)
  descriptions = _distinct(rng, description_of_person, count)

  def say(rng, i, *, name_first: bool, mark: str = '') -> str:
    table = phrasings.NAME_FIRST if name_first else phrasings.DESCRIPTION_FIRST
    name, description = names[i], descriptions[i]
    if mark and name_first:
      name = mark + name
    elif mark:
      description = _mark(description)
    text = rng.choice(table)
    if mark:  # everything before the first of the two is a free choice
      first = '{N}' if name_first else '{D}'
      before, after = text.split(first, 1)
      text = ' '.join(mark + w if w else w for w in before.split(' ')) + first
      text += after
    return text.replace('{N}', name).replace('{D}', description)

  def ask(rng: random.Random, i: int) -> str:
    first = rng.random() < 0.3
    return _capital(say(rng, i, name_first=first, mark=UNPREDICTABLE))

  def infer(rng: random.Random, i: int) -> list[str]:
    return [
      _capital(say(rng, i, name_first=True)),
      _capital(say(rng, i, name_first=False)),
    ]

  documents = [
    _capital(say(rng, i, name_first=rng.random() < 0.6)) for i in range(count)
  ]
  return Episode(documents, ask, infer)


def _capital(text: str) -> str:
  """Upper-cases the first letter, behind a mark if there is one."""
  at = 1 if text[0] == UNPREDICTABLE else 0
  return text[:at] + text[at].upper() + text[at + 1 :]


def _distinct(rng: random.Random, draw: Callable, count: int) -> list[str]:
  made: dict[str, None] = {}
  while len(made) < count:
    made[draw(rng)] = None
  return list(made)


# --- inheritance -------------------------------------------------------------


def inheritance(rng: random.Random, count: int) -> Episode:
  """Chains of kinds; the ability at the top holds all the way down."""
  documents, askable = [], []
  while len(documents) < count:
    chain = _fresh_words(rng, rng.randint(2, 4))
    ability = rng.choice(phrasings.ABILITIES)
    said = [
      phrasings.kind_of(*pair) for pair in zip(chain, chain[1:], strict=False)
    ]
    said.append(phrasings.can(chain[-1], ability))
    askable += [phrasings.can(f'~{kind}', ability) for kind in chain]
    documents += [_sentence(rng, s, 0.5).translate(_MARKS) for s in said]
  order = list(range(len(documents)))
  rng.shuffle(order)

  def ask(rng: random.Random, i: int) -> str:
    return _sentence(rng, askable[i], 0.3)

  def infer(rng: random.Random, i: int) -> list[str]:
    statement = askable[order[i]].translate(_MARKS)
    return [_sentence(rng, statement, 0.5) for _ in range(2)]

  return Episode([documents[i] for i in order], ask, infer)


# --- filler ------------------------------------------------------------------


def filler(rng: random.Random, count: int) -> Episode:
  """English-like sentences and things with random strings to look up."""
  nouns = rng.sample(english.NOUNS, count)
  codes = [
    ''.join(rng.choices(_CHARACTERS, k=rng.randint(2, 7))) for _ in range(count)
  ]

  def sentence(rng: random.Random) -> str:
    return (
      f'The {rng.choice(english.ADJECTIVES)} {rng.choice(english.NOUNS)}'
      f' {rng.choice(english.VERBS)} the {rng.choice(english.NOUNS)}'
      f' {rng.choice(english.PLACES)} the {rng.choice(english.NOUNS)}.'
    )

  def about(i: int, mark: str) -> str:
    return f'The code of the {mark}{nouns[i]} is {codes[i]}.'

  def ask(rng: random.Random, i: int) -> str:
    if rng.random() < 0.2:
      return _mark(sentence(rng))
    return about(i, UNPREDICTABLE)

  def infer(rng: random.Random, i: int) -> list[str]:
    return [about(i, ''), f'{codes[i]} is the code of the {nouns[i]}.']

  return Episode([about(i, '') for i in range(count)], ask, infer)


FAMILIES = {
  'comparisons': comparisons,
  'syllogisms': syllogisms,
  'people': people,
  'inheritance': inheritance,
  'filler': filler,
}
