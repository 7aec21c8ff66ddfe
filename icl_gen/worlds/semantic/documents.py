"""What the semantic world's documents say, and how: statements into texts.

Knows nothing of what follows from what: every statement is said in the
direction in which it is given.
"""

import itertools
import random
from collections.abc import Mapping, Sequence

from icl_gen.text import categories, preambles
from icl_gen.types import Document, Fact
from icl_gen.worlds import balance

STYLES = ('plain', 'varied')
# Sentences of a varied document.
LEAST, MOST = 4, 20
# The other preambles are for questions.
PREAMBLES = preambles.PREAMBLES[:10]
QUESTION_PREAMBLES = preambles.PREAMBLES[10:]


def documents(
  told: Mapping[str, Sequence[Fact]], *, count: int, style: str, seed: str
) -> list[Document]:
  """Writes documents, as many about every kind, in rounds.

  Args:
    told: the facts of every kind, in the direction in which they are given.
    count: number of documents; the first round says everything, plainly.
    style: 'plain' for texts that say one kind's facts once, each in its first
      form, in another order each round; 'varied' for articles, lists,
      definitions, dialogues and examples of 4 to 20 sentences, which go on
      with the facts of related kinds.
    seed: name of the draw.

  Raises:
    ValueError: for an unknown style, or fewer documents than kinds.
  """
  if style not in STYLES:
    raise ValueError(f'style {style!r}; allowed are {", ".join(STYLES)}')
  if count < len(told):
    raise ValueError(
      f'{count} documents for {len(told)} categories; every category needs one'
      f' that says its facts. Give {len(told)} or more.'
    )
  made = []
  for i in range(count):
    lap, number = divmod(i, len(told))
    name = f'kind-{number:03d}-{lap:03d}'
    noun = tuple(told)[number]
    rng = random.Random(f'{seed}/{name}')
    if style == 'plain':
      facts = _reordered(told[noun], rng) if lap else list(told[noun])
      text = ' '.join(
        categories.sentence(categories.said(fact)) for fact in facts
      )
    else:
      facts, text = _varied(noun, told, lap, rng, seed=seed)
    made.append(Document(name, text, tuple(facts)))
  return made


def _reordered(facts: Sequence[Fact], rng: random.Random) -> list[Fact]:
  return rng.sample(facts, len(facts))


# --- varied texts -------------------------------------------------------------


def _varied(noun, told, lap, rng, *, seed) -> tuple[list[Fact], str]:
  """The facts of a text of the round's kind, and the text."""
  if lap == 0:
    # Everything that is said of the kind, plainly.
    facts = _facts(noun, told, rng)[: max(LEAST, len(told[noun]))]
    return facts, ' '.join(
      categories.sentence(categories.said(fact)) for fact in facts
    )
  render = balance.nth(_TEXTS, lap - 1, seed=f'{seed}/styles/{noun}')
  facts = _facts(noun, told, rng)
  least, most = _STATEMENTS[render]
  some = list(
    itertools.islice(itertools.cycle(facts), rng.randint(least, most))
  )
  return some, render(noun, some, rng)


def _facts(noun, told, rng) -> list[Fact]:
  """The kind's own facts first, then those of kinds that these name, then all
  others."""
  own = _reordered(told[noun], rng)
  named = [w for f in own for w in (f.subject, f.object) if w in told]
  near = [f for kind in dict.fromkeys(named) for f in told[kind]]
  every = list(itertools.chain(*told.values()))
  return list(
    dict.fromkeys([*own, *_reordered(near, rng), *_reordered(every, rng)])
  )


def _any_form(fact: Fact, rng: random.Random) -> str:
  return categories.in_form(fact, rng.choice)


def _maybe_led(statement: str, rng: random.Random) -> str:
  """Behind a preamble now and then."""
  if rng.random() < 0.2:
    statement = f'{rng.choice(PREAMBLES)} {statement}'
  return categories.sentence(statement)


def _heading(style: str, noun: str) -> str:
  return (
    categories.HEADINGS[style]
    .replace('{A}', noun)
    .replace('{a}', categories.singular(noun))
  )


def _article(noun, facts, rng) -> str:
  del noun
  return ' '.join(_maybe_led(_any_form(fact, rng), rng) for fact in facts)


def _list(noun, facts, rng) -> str:
  lines = [f'- {categories.sentence(_any_form(fact, rng))}' for fact in facts]
  return '\n'.join([_heading('list', noun), *lines])


def _definition(noun, facts, rng) -> str:
  def about_one(forms):
    return rng.choice([form for form in forms if '{a}' in form])

  said_so = ' '.join(
    categories.sentence(categories.in_form(fact, about_one)) for fact in facts
  )
  return f'{_heading("definition", noun)} {said_so}'


def _dialogue(noun, facts, rng) -> str:
  """Two people in turns; the first asks to be told."""
  turns = [_maybe_led(_any_form(fact, rng), rng) for fact in facts]
  speakers = itertools.cycle(categories.SPEAKERS)
  return '\n'.join(
    f'{speaker}: {turn}'
    for speaker, turn in zip(
      speakers, [_heading('dialogue', noun), *turns], strict=False
    )
  )


def _examples(noun, facts, rng) -> str:
  """Questions with their answers, in whole sentences."""
  del noun
  lines = []
  for fact in facts:
    reverse, relation = (
      categories.is_inverse(fact.relation),
      categories.base(fact.relation),
    )
    told = categories.flip(fact) if reverse else fact
    question = categories.question(
      relation, told.subject, told.object, reverse=reverse
    )
    lines.append(
      f'Q: {question} A: {categories.sentence(_any_form(fact, rng))}'
    )
  return '\n'.join(lines)


# Fewest and most statements, so that there are LEAST to MOST sentences.
_STATEMENTS = {
  _article: (LEAST, MOST),
  _list: (LEAST, MOST),
  _definition: (LEAST, MOST),
  _dialogue: (LEAST - 1, MOST - 1),
  _examples: (LEAST // 2, MOST // 2),
}
_TEXTS = tuple(_STATEMENTS)
