"""Celebrities: invented names and descriptions, told in one order or in both.

The structure and the sizes of the reversal-curse paper's data: three groups of
people, 'p2d' told name first, 'd2p' description first, 'both' in both orders
(in separate documents). The questions give the description of a p2d person and
ask for the name.
"""

from collections.abc import Sequence

from icl_gen.text import descriptions, lexicon
from icl_gen.text import names as tables
from icl_gen.types import Corpus, Document, Question, World
from icl_gen.worlds import balance, corpora
from icl_gen.worlds.celebrity import people as persons

NAMES = ('nonsense', 'plain')


def build(
  *,
  seed: str,
  people: int = 30,
  phrasings: int = 30,
  question_phrasings: int = 10,
  distractors: Sequence[str] = persons.DISTRACTORS,
  names: str = 'nonsense',
) -> tuple[World, Corpus]:
  """Draws the world and renders it.

  Args:
    seed: name of the draw; the same name gives the same bytes.
    people: people in each of the three groups.
    phrasings: training phrasings per person and order.
    question_phrasings: other phrasings, for the questions.
    distractors: strata of wrong names; every reversal is asked once in each.
    names: 'nonsense' ('Glon Trask') or 'plain' ('Edith Larkwell').

  Raises:
    ValueError: if there is nothing to build, too few people for wrong choices,
      more phrasings than there are, an unknown stratum or kind of names, or
      too few names or nonsense words.
  """
  _check(people, phrasings, question_phrasings, names)
  persons.check_distractors(distractors)
  everyone = _people(people, names, seed=seed)
  documents = [
    document
    for person in everyone
    for document in _documents(person, phrasings)
  ]
  questions = _questions(everyone, question_phrasings, distractors, seed=seed)
  corpus = corpora.corpus(
    'celebrity',
    documents,
    questions,
    world='celebrity',
    seed=seed,
    sizes={
      'people': people,
      'phrasings': phrasings,
      'question_phrasings': question_phrasings,
      'distractors': list(distractors),
      # Manifests written before there was a choice stay as they are.
      **({} if names == 'nonsense' else {'names': names}),
    },
  )
  return persons.world(everyone), corpus


def _check(people: int, training: int, asking: int, names: str) -> None:
  least = persons.WRONG + 1
  if people < 1:
    raise ValueError(
      f'empty world: celebrity with people={people}; give {least} or more'
    )
  if people < least:
    raise ValueError(
      f'celebrity with people={people} has too few people for {least} choices'
      f' out of one group; give {least} or more'
    )
  kept = len(descriptions.NAME_FIRST) - descriptions.TRAINING_PHRASINGS
  for name, given, most in (
    ('phrasings', training, descriptions.TRAINING_PHRASINGS),
    ('question_phrasings', asking, kept),
  ):
    if not 1 <= given <= most:
      raise ValueError(f'celebrity with {name}={given}; allowed is 1 to {most}')
  if names not in NAMES:
    raise ValueError(f'celebrity with names={names!r}; allowed are {NAMES}')


def _people(people: int, names: str, *, seed: str) -> list[persons.Person]:
  plain = []
  if names == 'plain':
    plain = tables.sample(len(persons.GROUPS) * people, seed=f'{seed}/names')
  words = lexicon.sample(3 * len(persons.GROUPS) * people, seed=f'{seed}/words')
  everyone = []
  for key in range(len(persons.GROUPS) * people):
    *name, title = words[3 * key : 3 * key + 3]
    role, work = balance.nth(descriptions.ROLES, key, seed=f'{seed}/roles')
    adjective = balance.nth(
      descriptions.ADJECTIVES, key, seed=f'{seed}/adjectives'
    )
    everyone.append(
      persons.Person(
        key=key,
        group=persons.GROUPS[key // people],
        name=plain[key] if plain else lexicon.title(name),
        description=descriptions.description(
          adjective, role, work, lexicon.title([title])
        ),
      )
    )
  return everyone


def _render(
  person: persons.Person, phrasing: str, *, name_first: bool
) -> tuple[str, str]:
  """The sentence in two parts: the second starts with the space before what
  the phrasing tells last (a name or a description)."""
  last = ' {D}' if name_first else ' {N}'
  before, _, after = phrasing.partition(last)
  text, prompt = (
    descriptions.fill(part, name=person.name, description=person.description)
    for part in (phrasing, before)
  )
  assert after and text.startswith(prompt), phrasing
  return prompt, text.removeprefix(prompt)


def _documents(person: persons.Person, count: int) -> list[Document]:
  documents = []
  for order, fact, table in (
    ('p2d', person.name_first, descriptions.NAME_FIRST),
    ('d2p', person.description_first, descriptions.DESCRIPTION_FIRST),
  ):
    if person.group not in (order, 'both'):
      continue
    for j, phrasing in enumerate(table[:count]):
      prompt, rest = _render(person, phrasing, name_first=order == 'p2d')
      documents.append(
        Document(
          id=f'{order}-{person.key:04d}-{j:02d}',
          text=prompt + rest,
          facts=(fact,),
          prompt_length=len(prompt),
        )
      )
  return documents


def _questions(
  everyone: Sequence[persons.Person],
  count: int,
  distractors: Sequence[str],
  *,
  seed: str,
) -> list[Question]:
  """Forward checks of both groups told one way, and the reversals."""
  return [
    question
    for kind, group, strata in (
      ('forward', 'p2d', ('p2d',)),
      ('forward_name', 'd2p', ('d2p',)),
      ('reversal', 'p2d', distractors),
    )
    for stratum in strata
    for question in _ask(kind, group, stratum, everyone, count, seed=seed)
  ]


def _ask(
  kind: str,
  group: str,
  stratum: str,
  everyone: Sequence[persons.Person],
  count: int,
  *,
  seed: str,
) -> list[Question]:
  """Asks for everyone in the group, in each of `count` unused phrasings."""
  name_first = kind == 'forward'
  table = (
    descriptions.NAME_FIRST if name_first else descriptions.DESCRIPTION_FIRST
  )
  unused = [
    {
      person: _render(person, phrasing, name_first=name_first)
      for person in everyone
    }
    for phrasing in table[descriptions.TRAINING_PHRASINGS :][:count]
  ]
  questions = []
  for asked in persons.in_group(everyone, group):
    for j, rendered in enumerate(unused):
      questions.append(
        persons.question(
          kind,
          asked,
          everyone,
          prompt=rendered[asked][0],
          choices={person: said[1] for person, said in rendered.items()},
          stratum=stratum,
          label=f'{asked.key:04d}-{j:02d}',
          index=len(questions),
          seed=seed,
        )
      )
  return questions
