"""Writes the semantic world's documents, which state every fact as given."""

import itertools
import random
from collections.abc import Mapping, Sequence

from icl_gen.text import categories
from icl_gen.text.forms.statements import PREAMBLES
from icl_gen.text.forms.taxonomy import SPEAKERS
from icl_gen.types import Document, Fact
from icl_gen.worlds import balance, sizes

_Stated = Mapping[str, Sequence[Fact]]

STYLES = ('plain', 'varied')
# Fewest and most sentences of a varied document.
LEAST, MOST = 4, 20
# Documents and questions share no preamble: these are the documents'.
_PREAMBLES = 10


def question_preambles(forms: str) -> Sequence[str]:
  """The preambles that no document has."""
  return PREAMBLES[forms][_PREAMBLES:]


def documents(
  stated: _Stated, *, count: int, style: str, forms: str, seed: str
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
    forms: the part of the tables that wordings are drawn from, one of
      `forms.split.PARTS`.
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
        categories.sentence(categories.said(fact, part=forms)) for fact in facts
      )
    else:
      facts, text = _varied(noun, stated, lap, rng, forms=forms, seed=seed)
    made.append(Document(name, text, tuple(facts)))
  return made


def _reordered(facts: Sequence[Fact], rng: random.Random) -> list[Fact]:
  return rng.sample(facts, len(facts))


# --- varied texts -------------------------------------------------------------


def _varied(
  noun: str,
  stated: _Stated,
  lap: int,
  rng: random.Random,
  *,
  forms: str,
  seed: str,
) -> tuple[list[Fact], str]:
  """The facts of one document about a category, and its text."""
  if lap == 0:
    # The first round states all the category's facts plainly.
    facts = _facts(noun, stated, rng)[: max(LEAST, len(stated[noun]))]
    return facts, ' '.join(
      categories.sentence(categories.said(fact, part=forms)) for fact in facts
    )
  render = balance.nth(_TEXTS, lap - 1, seed=f'{seed}/styles/{noun}')
  facts = _facts(noun, stated, rng)
  least, most = _STATEMENTS[render]
  some = list(
    itertools.islice(itertools.cycle(facts), rng.randint(least, most))
  )
  return some, render(noun, some, forms, rng)


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


def _any_form(fact: Fact, forms: str, rng: random.Random) -> str:
  return categories.in_form(fact, rng.choice, part=forms)


def _maybe_led(statement: str, forms: str, rng: random.Random) -> str:
  """The sentence, sometimes after a preamble."""
  if rng.random() < 0.2:
    statement = f'{rng.choice(PREAMBLES[forms][:_PREAMBLES])} {statement}'
  return categories.sentence(statement)


def _article(
  noun: str, facts: Sequence[Fact], forms: str, rng: random.Random
) -> str:
  del noun
  return ' '.join(
    _maybe_led(_any_form(fact, forms, rng), forms, rng) for fact in facts
  )


def _list(
  noun: str, facts: Sequence[Fact], forms: str, rng: random.Random
) -> str:
  lines = [
    f'- {categories.sentence(_any_form(fact, forms, rng))}' for fact in facts
  ]
  return '\n'.join([categories.heading('list', noun, part=forms), *lines])


def _definition(
  noun: str, facts: Sequence[Fact], forms: str, rng: random.Random
) -> str:
  def about_one(possible: Sequence[str]) -> str:
    return rng.choice([form for form in possible if '{a}' in form])

  said_so = ' '.join(
    categories.sentence(categories.in_form(fact, about_one, part=forms))
    for fact in facts
  )
  return f'{categories.heading("definition", noun, part=forms)} {said_so}'


def _dialogue(
  noun: str, facts: Sequence[Fact], forms: str, rng: random.Random
) -> str:
  """Two speakers take turns; the first starts with a request."""
  request = categories.heading('dialogue', noun, part=forms)
  turns = [
    _maybe_led(_any_form(fact, forms, rng), forms, rng) for fact in facts
  ]
  return '\n'.join(
    f'{speaker}: {turn}'
    for speaker, turn in zip(
      itertools.cycle(SPEAKERS), [request, *turns], strict=False
    )
  )


def _examples(
  noun: str, facts: Sequence[Fact], forms: str, rng: random.Random
) -> str:
  """Questions, each answered in a whole sentence."""
  del noun
  lines = []
  for fact in facts:
    question = categories.question(fact, part=forms)
    answer = categories.sentence(_any_form(fact, forms, rng))
    lines.append(f'Q: {question} A: {answer}')
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
