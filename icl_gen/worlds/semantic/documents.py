"""Writes the semantic world's documents, which state every fact as given."""

import itertools
import random
from collections.abc import Mapping, Sequence

from icl_gen.text import categories, inflection, preambles
from icl_gen.types import Document, Fact
from icl_gen.worlds import balance, sizes

_Stated = Mapping[str, Sequence[Fact]]

STYLES = ('plain', 'varied')
# Fewest and most sentences of a varied document.
LEAST, MOST = 4, 20
# Documents and questions share no preamble.
PREAMBLES = preambles.PREAMBLES[:10]
QUESTION_PREAMBLES = preambles.PREAMBLES[10:]


def documents(
  stated: _Stated, *, count: int, style: str, seed: str
) -> list[Document]:
  """Writes documents in rounds, with one document per category and round.

  Args:
    stated: by noun, the facts about a category in the direction in which they
      are given.
    count: number of documents; the first round states every fact plainly.
    style: 'plain' documents state the facts of one category once, in the
      plainest form and in a different order each round. 'varied' documents are
      articles, lists, definitions, dialogues and examples of 4 to 20 sentences
      that continue with the facts of related categories.
    seed: name of the random draw.

  Raises:
    ValueError: the style is unknown, or there are fewer documents than
      categories.
  """
  sizes.require_one_of('semantic', STYLES, style=style)
  if count < len(stated):
    raise ValueError(
      f'{count} documents for {len(stated)} categories; every category needs'
      f' one that states its facts. Give {len(stated)} or more.'
    )
  made = []
  for i in range(count):
    lap, number = divmod(i, len(stated))
    name = f'kind-{number:03d}-{lap:03d}'
    noun = tuple(stated)[number]
    rng = random.Random(f'{seed}/{name}')
    if style == 'plain':
      facts = _reordered(stated[noun], rng) if lap else list(stated[noun])
      text = ' '.join(
        categories.sentence(categories.said(fact)) for fact in facts
      )
    else:
      facts, text = _varied(noun, stated, lap, rng, seed=seed)
    made.append(Document(name, text, tuple(facts)))
  return made


def _reordered(facts: Sequence[Fact], rng: random.Random) -> list[Fact]:
  return rng.sample(facts, len(facts))


# --- varied texts -------------------------------------------------------------


def _varied(
  noun: str, stated: _Stated, lap: int, rng: random.Random, *, seed: str
) -> tuple[list[Fact], str]:
  """The facts of one document about a category, and its text."""
  if lap == 0:
    # The first round states all the category's facts plainly.
    facts = _facts(noun, stated, rng)[: max(LEAST, len(stated[noun]))]
    return facts, ' '.join(
      categories.sentence(categories.said(fact)) for fact in facts
    )
  render = balance.nth(_TEXTS, lap - 1, seed=f'{seed}/styles/{noun}')
  facts = _facts(noun, stated, rng)
  least, most = _STATEMENTS[render]
  some = list(
    itertools.islice(itertools.cycle(facts), rng.randint(least, most))
  )
  return some, render(noun, some, rng)


def _facts(noun: str, stated: _Stated, rng: random.Random) -> list[Fact]:
  """All facts: a category's own first, then those of categories they mention,
  then the others."""
  own = _reordered(stated[noun], rng)
  named = [w for f in own for w in (f.subject, f.object) if w in stated]
  near = [f for other in dict.fromkeys(named) for f in stated[other]]
  every = list(itertools.chain(*stated.values()))
  return list(
    dict.fromkeys([*own, *_reordered(near, rng), *_reordered(every, rng)])
  )


def _any_form(fact: Fact, rng: random.Random) -> str:
  return categories.in_form(fact, rng.choice)


def _maybe_led(statement: str, rng: random.Random) -> str:
  """The sentence, sometimes after a preamble."""
  if rng.random() < 0.2:
    statement = f'{rng.choice(PREAMBLES)} {statement}'
  return categories.sentence(statement)


def _heading(style: str, noun: str) -> str:
  return (
    categories.HEADINGS[style]
    .replace('{A}', noun)
    .replace('{a}', inflection.singular(noun))
  )


def _article(noun: str, facts: Sequence[Fact], rng: random.Random) -> str:
  del noun
  return ' '.join(_maybe_led(_any_form(fact, rng), rng) for fact in facts)


def _list(noun: str, facts: Sequence[Fact], rng: random.Random) -> str:
  lines = [f'- {categories.sentence(_any_form(fact, rng))}' for fact in facts]
  return '\n'.join([_heading('list', noun), *lines])


def _definition(noun: str, facts: Sequence[Fact], rng: random.Random) -> str:
  def about_one(forms: Sequence[str]) -> str:
    return rng.choice([form for form in forms if '{a}' in form])

  said_so = ' '.join(
    categories.sentence(categories.in_form(fact, about_one)) for fact in facts
  )
  return f'{_heading("definition", noun)} {said_so}'


def _dialogue(noun: str, facts: Sequence[Fact], rng: random.Random) -> str:
  """Two speakers take turns; the first starts with a request."""
  turns = [_maybe_led(_any_form(fact, rng), rng) for fact in facts]
  speakers = itertools.cycle(categories.SPEAKERS)
  return '\n'.join(
    f'{speaker}: {turn}'
    for speaker, turn in zip(
      speakers, [_heading('dialogue', noun), *turns], strict=False
    )
  )


def _examples(noun: str, facts: Sequence[Fact], rng: random.Random) -> str:
  """Questions, each answered in a whole sentence."""
  del noun
  lines = []
  for fact in facts:
    reverse = categories.is_inverse(fact.relation)
    forward = categories.flip(fact) if reverse else fact
    question = categories.question(
      forward.relation, forward.subject, forward.object, reverse=reverse
    )
    lines.append(
      f'Q: {question} A: {categories.sentence(_any_form(fact, rng))}'
    )
  return '\n'.join(lines)


# Fewest and most statements that make LEAST to MOST sentences.
_STATEMENTS = {
  _article: (LEAST, MOST),
  _list: (LEAST, MOST),
  _definition: (LEAST, MOST),
  _dialogue: (LEAST - 1, MOST - 1),
  _examples: (LEAST // 2, MOST // 2),
}
_TEXTS = tuple(_STATEMENTS)
