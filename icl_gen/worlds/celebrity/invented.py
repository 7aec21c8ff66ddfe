"""Celebrities: invented people, stated name first, description first, or both.

The data has the structure and the sizes of the reversal-curse paper's, with
three groups of people: documents state the 'p2d' group name first, the 'd2p'
group description first, and the 'both' group in both orders (in separate
documents). Reversal questions give the description of a p2d person and ask for
the name.
"""

from collections.abc import Sequence

from icl_gen.text import descriptions, lexicon
from icl_gen.text import names as tables
from icl_gen.text.forms.persons import (
  ADJECTIVES,
  DESCRIPTION_FIRST,
  DESCRIPTIONS,
  NAME_FIRST,
  ROLES,
  VERBS,
)
from icl_gen.types import Corpus, Document, Question, World
from icl_gen.worlds import balance, corpora, sizes
from icl_gen.worlds.celebrity import people as persons
from icl_gen.worlds.definition import Definition

NAMES = ('nonsense', 'plain')
OPTIONS = {'names': 'nonsense', 'forms': 'seen'}


def build(
  *,
  seed: str,
  people: int,
  phrasings: int,
  question_phrasings: int,
  distractors: Sequence[str] = persons.DISTRACTORS,
  names: str = 'nonsense',
  forms: str = 'seen',
) -> tuple[World, Corpus]:
  """Draws the world and writes its documents and questions.

  Args:
    seed: name of the random draw; the same name gives the same bytes.
    people: number of people in each of the three groups.
    phrasings: number of training phrasings per person and order.
    question_phrasings: number of other phrasings, used in questions.
    distractors: strata of wrong names; each reversal is asked once per stratum.
    names: 'nonsense' ('Glon Trask') or 'plain' ('Edith Larkwell').
    forms: the part of the tables that phrasings and descriptions are drawn
      from, one of `forms.split.PARTS`.

  Raises:
    ValueError: a size is not positive, a stratum, the kind of names or the
      forms are unknown, or there are too few people for the wrong choices, too
      few phrasings, names or nonsense words.
  """
  _check(people, phrasings, question_phrasings, names, forms)
  persons.check_distractors(distractors)
  everyone = _people(people, names, forms, seed=seed)
  documents = [
    document
    for person in everyone
    for document in _documents(person, phrasings, forms)
  ]
  questions = _questions(
    everyone, question_phrasings, distractors, forms, seed=seed
  )
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
      **sizes.options(OPTIONS, names=names, forms=forms),
    },
  )
  return persons.world(everyone), corpus


def _check(
  people: int, training: int, asking: int, names: str, forms: str
) -> None:
  sizes.require_forms('celebrity', forms)
  sizes.require_positive('celebrity', people=people)
  least = persons.WRONG + 1
  if people < least:
    raise ValueError(
      f'celebrity with people={people} has too few people for {least} choices'
      f' from one group; give {least} or more'
    )
  most = len(descriptions.told(NAME_FIRST[forms]))
  kept = len(descriptions.asked(NAME_FIRST[forms]))
  sizes.require_between('celebrity', least=1, most=most, phrasings=training)
  sizes.require_between(
    'celebrity', least=1, most=kept, question_phrasings=asking
  )
  sizes.require_one_of('celebrity', NAMES, names=names)


def _people(
  people: int, names: str, forms: str, *, seed: str
) -> list[persons.Person]:
  plain: list[str] = []
  if names == 'plain':
    plain = tables.sample(len(persons.GROUPS) * people, seed=f'{seed}/names')
  words = lexicon.sample(3 * len(persons.GROUPS) * people, seed=f'{seed}/words')
  everyone = []
  for key in range(len(persons.GROUPS) * people):
    *name, title = words[3 * key : 3 * key + 3]
    role, work = balance.nth(ROLES[forms], key, seed=f'{seed}/roles')
    adjective = balance.nth(ADJECTIVES[forms], key, seed=f'{seed}/adjectives')
    form = balance.nth(DESCRIPTIONS[forms], key, seed=f'{seed}/forms')
    verb = ''
    if '{verb}' in form:
      verb = balance.nth(VERBS[forms], key, seed=f'{seed}/verbs')
    everyone.append(
      persons.Person(
        key=key,
        group=persons.GROUPS[key // people],
        name=plain[key] if plain else lexicon.title(name),
        description=descriptions.description(
          adjective, role, work, lexicon.title([title]), form=form, verb=verb
        ),
      )
    )
  return everyone


def _render(
  person: persons.Person, phrasing: str, *, name_first: bool
) -> tuple[str, str]:
  """Writes the sentence in two parts.

  The second part starts at the space before the name or the description,
  whichever the phrasing has last.
  """
  last = ' {D}' if name_first else ' {N}'
  before, _, after = phrasing.partition(last)
  text, prompt = (
    descriptions.fill(part, name=person.name, description=person.description)
    for part in (phrasing, before)
  )
  assert after and text.startswith(prompt), phrasing
  return prompt, text.removeprefix(prompt)


def _documents(
  person: persons.Person, count: int, forms: str
) -> list[Document]:
  documents = []
  for order, fact, table in (
    ('p2d', person.name_first, NAME_FIRST[forms]),
    ('d2p', person.description_first, DESCRIPTION_FIRST[forms]),
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
  forms: str,
  *,
  seed: str,
) -> list[Question]:
  """Forward questions about the groups stated in one order, and reversals."""
  return [
    question
    for kind, group, strata in (
      ('forward', 'p2d', ('p2d',)),
      ('forward_name', 'd2p', ('d2p',)),
      ('reversal', 'p2d', distractors),
    )
    for stratum in strata
    for question in _ask(
      kind, group, stratum, everyone, count, forms, seed=seed
    )
  ]


def _ask(
  kind: str,
  group: str,
  stratum: str,
  everyone: Sequence[persons.Person],
  count: int,
  forms: str,
  *,
  seed: str,
) -> list[Question]:
  """Asks about everyone in the group, in `count` phrasings that no document
  has."""
  name_first = kind == 'forward'
  table = NAME_FIRST if name_first else DESCRIPTION_FIRST
  unused = [
    {
      person: _render(person, phrasing, name_first=name_first)
      for person in everyone
    }
    for phrasing in descriptions.asked(table[forms])[:count]
  ]
  questions: list[Question] = []
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


DEFINITION = Definition(
  about=__doc__,
  build=build,
  sizes={
    'paper': {'people': 30, 'phrasings': 30, 'question_phrasings': 10},
    'nano': {'people': 10, 'phrasings': 4, 'question_phrasings': 2},
  },
  reader=descriptions.reader,
  stated=frozenset({'forward', 'forward_name'}),
)
