"""What the semantic world's documents say, and how: statements into texts.

Knows nothing of what follows from what: every statement is said in the
direction in which it is given.
"""

import itertools
import random
from collections.abc import Callable, Mapping, Sequence

from icl_gen.types import Document, Fact
from icl_gen.worlds import balance, phrasings

STYLES = ('plain', 'varied')
# Sentences of a varied document.
LEAST, MOST = 4, 20
# The other preambles are for questions.
PREAMBLES = phrasings.PREAMBLES[:10]
QUESTION_PREAMBLES = phrasings.PREAMBLES[10:]

_INVERSE = {'is a': 'includes', 'has': 'found on', 'is': 'describes'}
_BASE = {inverse: relation for relation, inverse in _INVERSE.items()}
_BY = phrasings.past('') + ' by'


def inverse(relation: str) -> str:
  """'has' <-> 'found on', and for a verb 'blim' <-> 'blimed by'."""
  if relation in _INVERSE:
    return _INVERSE[relation]
  if is_inverse(relation):
    return base(relation)
  return relation + _BY


def is_inverse(relation: str) -> bool:
  """Whether the relation is one that starts with the object."""
  return relation in _BASE or relation.endswith(_BY)


def base(relation: str) -> str:
  """'found on' -> 'has'; 'has' -> 'has'."""
  return _BASE.get(relation, relation.removesuffix(_BY))


def flip(fact: Fact) -> Fact:
  """The same, told from the other side."""
  return Fact(fact.object, inverse(fact.relation), fact.subject)


def said(fact: Fact) -> str:
  """'gruds have wicks', or, of its flip, 'wicks are found on gruds'."""
  return _in_form(fact, lambda forms: forms[0])


def _in_form(fact: Fact, choose: Callable[[tuple[str, ...]], str]) -> str:
  reverse, relation = is_inverse(fact.relation), base(fact.relation)
  one, other = (
    (fact.object, fact.subject)
    if reverse
    else (
      fact.subject,
      fact.object,
    )
  )
  form = choose(phrasings.kind_forms(relation, reverse=reverse))
  return phrasings.fill_kind(form, relation, one, other, reverse=reverse)


def sentence(statement: str) -> str:
  """'gruds have wicks' -> 'Gruds have wicks.'."""
  return f'{statement[0].upper()}{statement[1:]}.'


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
      text = ' '.join(sentence(said(fact)) for fact in facts)
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
    return facts, ' '.join(sentence(said(fact)) for fact in facts)
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
  return _in_form(fact, rng.choice)


def _maybe_led(statement: str, rng: random.Random) -> str:
  """Behind a preamble now and then."""
  if rng.random() < 0.2:
    statement = f'{rng.choice(PREAMBLES)} {statement}'
  return sentence(statement)


def _heading(style: str, noun: str) -> str:
  return (
    phrasings.KIND_HEADINGS[style]
    .replace('{A}', noun)
    .replace('{a}', phrasings.singular(noun))
  )


def _article(noun, facts, rng) -> str:
  del noun
  return ' '.join(_maybe_led(_any_form(fact, rng), rng) for fact in facts)


def _list(noun, facts, rng) -> str:
  lines = [f'- {sentence(_any_form(fact, rng))}' for fact in facts]
  return '\n'.join([_heading('list', noun), *lines])


def _definition(noun, facts, rng) -> str:
  def about_one(forms):
    return rng.choice([form for form in forms if '{a}' in form])

  said_so = ' '.join(sentence(_in_form(fact, about_one)) for fact in facts)
  return f'{_heading("definition", noun)} {said_so}'


def _dialogue(noun, facts, rng) -> str:
  """Two people in turns; the first asks to be told."""
  turns = [_maybe_led(_any_form(fact, rng), rng) for fact in facts]
  speakers = itertools.cycle(phrasings.SPEAKERS)
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
    reverse, relation = is_inverse(fact.relation), base(fact.relation)
    told = flip(fact) if reverse else fact
    question = phrasings.kind_question(
      relation, told.subject, told.object, reverse=reverse
    )
    lines.append(f'Q: {question} A: {sentence(_any_form(fact, rng))}')
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
