"""People: facts about their names and descriptions, and their distractors.

Shared by the invented celebrities and those of the real files.
"""

import dataclasses
import random
from collections.abc import Mapping, Sequence

from icl_gen.types import Fact, Question, World
from icl_gen.worlds import balance, logic

# Documents state a person name first (p: person, d: description), description
# first, or both ways.
GROUPS = ('p2d', 'd2p', 'both')
# Where a question's wrong names come from: people whose names completed
# training documents (the right name never did), or people of the same group as
# the right one.
DISTRACTORS = ('target_seen', 'never_target')
WRONG = 3


@dataclasses.dataclass(frozen=True)
class Person:
  """A name and a description of one person.

  Attributes:
    key: number in the world, part of ids.
    group: 'p2d', 'd2p' or 'both'; see GROUPS.
    name: 'Glon Trask'.
    description: 'the acclaimed composer of the opera Glomp', or (real files)
      the phrase that identifies the person.
  """

  key: int
  group: str
  name: str
  description: str

  @property
  def name_first(self) -> Fact:
    """What a name-first sentence asserts."""
    return Fact(self.name, 'is', self.description)

  @property
  def description_first(self) -> Fact:
    """What a description-first sentence asserts."""
    return Fact(self.description, 'is', self.name)


def world(everyone: Sequence[Person]) -> World:
  """The facts about the people, their reversals, and every wrong pairing."""
  given = []
  for person in everyone:
    if person.group != 'd2p':
      given.append(person.name_first)
    if person.group != 'p2d':
      given.append(person.description_first)
  return World(
    name='celebrity',
    facts=tuple(given),
    entailed=logic.closure(given, logic.symmetric('is')),
    contradicted=frozenset(
      fact
      for one in everyone
      for other in everyone
      if one != other
      for fact in (
        Fact(one.name, 'is', other.description),
        Fact(other.description, 'is', one.name),
      )
    ),
  )


def in_group(everyone: Sequence[Person], *groups: str) -> list[Person]:
  """The people in any of the groups, in order."""
  return [person for person in everyone if person.group in groups]


def wrong_people(
  asked: Person, everyone: Sequence[Person], *, stratum: str, seed: str
) -> list[Person]:
  """Draws other people for the wrong choices.

  `stratum` is one of DISTRACTORS or of GROUPS.
  """
  groups = {
    'target_seen': ('d2p', 'both'),
    'never_target': ('p2d',),
  }.get(stratum, (stratum,))
  others = [p for p in in_group(everyone, *groups) if p != asked]
  return random.Random(seed).sample(others, WRONG)


def check_distractors(distractors: Sequence[str]) -> None:
  """Raises ValueError unless these are one or more distinct strata."""
  known = set(distractors) <= set(DISTRACTORS)
  if not known or not distractors or len(set(distractors)) < len(distractors):
    raise ValueError(
      f'celebrity with distractors={tuple(distractors)}; allowed are one or'
      f' more, each once, of {DISTRACTORS}'
    )


def question(
  kind: str,
  asked: Person,
  everyone: Sequence[Person],
  *,
  prompt: str,
  choices: Mapping[Person, str],
  stratum: str,
  label: str,
  index: int,
  seed: str,
) -> Question:
  """Makes the question which of four people completes the prompt.

  Args:
    kind: 'forward' asks for the description, any other kind for the name.
    asked: the right person.
    everyone: all people.
    prompt: the text before the choice.
    choices: the completion for each person who may be drawn.
    stratum: where the wrong people come from; see `wrong_people`.
    label: distinguishes the question from others of its kind and stratum.
    index: number of the question within its kind and stratum.
    seed: name of the world's random draw.
  """
  name = f'{kind}-{stratum}-{label}'
  others = wrong_people(
    asked, everyone, stratum=stratum, seed=f'{seed}/wrong/{name}'
  )
  ordered, answers = balance.arrange(
    [choices[asked]],
    [choices[other] for other in others],
    index=index,
    seed=f'{seed}/{kind}/{stratum}',
  )
  stated = asked.description_first if asked.group == 'd2p' else asked.name_first
  return Question(
    id=name,
    prompt=prompt,
    choices=ordered,
    answers=answers,
    kind=kind,
    premises=(stated,),
    target=asked.name_first if kind == 'forward' else asked.description_first,
    stratum=stratum,
  )
