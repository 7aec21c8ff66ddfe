"""The family of comparisons: 'glon are more dangerous than troff', reversed."""

import dataclasses
import random

from icl_gen.pretraining import episode, marks
from icl_gen.text import comparisons
from icl_gen.text.forms import statements

Comparison = tuple[str, str, str, str]  # subject, degree, feature, other
# The share of statements that reverse, in the recipe of the embedded models.
REVERSALS = 0.7
# From this share on, all answers to augmentation prompts reverse.
HALF = 0.5


def draw(
  rng: random.Random,
  one: str,
  other: str,
  *,
  source: episode.Source = episode.SEEN,
) -> Comparison:
  """Draws how two things compare."""
  degree = rng.choice(('more', 'less'))
  return one, degree, rng.choice(statements.FEATURES[source.part]), other


def reverse(fact: Comparison) -> Comparison:
  """The same comparison, starting from the other thing."""
  one, degree, feature, other = fact
  return other, 'less' if degree == 'more' else 'more', feature, one


def state(fact: Comparison, *, mark: str) -> str:
  """Renders a comparison; its degree is marked as deciding.

  Args:
    fact: the comparison.
    mark: of the first word; '' for none.
  """
  one, degree, feature, other = fact
  degree = marks.DECISIVE + degree
  return comparisons.statement(mark + one, degree, feature, other)


def compared(
  rng: random.Random,
  count: int,
  *,
  reversals: float = REVERSALS,
  source: episode.Source = episode.SEEN,
) -> episode.Episode:
  """Comparisons like 'glon are more dangerous than troff', often reversed.

  Args:
    rng: source of all random draws.
    count: number of facts.
    reversals: share of the statements that reverse a fact; the others repeat
      it. All draws are the same, and so is the number of tokens. Of the answers
      to augmentation prompts, one of the two reverses: all of them from a
      half on, and accordingly fewer below.
    source: of words and wordings.
  """
  # Answers are in fixed forms, so that the audit can read what a model infers.
  plain = dataclasses.replace(source, drawn=0.0)
  words = source.words(rng, 2 * count)
  facts = [
    draw(rng, *words[2 * i : 2 * i + 2], source=source) for i in range(count)
  ]

  def turned(fact: Comparison) -> Comparison:
    # Decided by the fact, as a draw from `rng` would change the others.
    share = random.Random(' '.join(fact)).random()
    return reverse(fact) if share * HALF < reversals else fact

  def said(rng: random.Random, fact: Comparison, preamble: float) -> str:
    return plain.sentence(rng, state(fact, mark=''), preamble)

  def ask(rng: random.Random, i: int) -> str:
    fact = facts[i]
    if rng.random() < reversals:
      fact = reverse(fact)
    if rng.random() < 0.1:
      return _yes_or_no(rng, fact)
    return source.sentence(rng, state(fact, mark=marks.UNPREDICTABLE), 0.4)

  def infer(rng: random.Random, i: int) -> list[str]:
    return [said(rng, facts[i], 0.7), said(rng, turned(facts[i]), 0.7)]

  documents = [
    marks.removed(source.sentence(rng, comparisons.statement(*fact), 0.9))
    for fact in facts
  ]
  return episode.Episode(documents, ask, infer)


def _yes_or_no(rng: random.Random, fact: Comparison) -> str:
  one, degree, feature, other = fact
  answer = 'Yes'
  if rng.random() < 0.5:
    answer, degree = 'No', 'less' if degree == 'more' else 'more'
  return f'Q: ~are ~{one} ~{degree} {feature} than {other}? A: {answer}.'
