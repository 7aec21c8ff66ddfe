"""How an episode says its relations: in fixed forms, or in forms of its own.

A model that reads a relation in one form only learns what this form needs, and
is lost in another one. Forms that are drawn for an episode occur nowhere else,
so that nothing but the context says what belongs together.
"""

import dataclasses
import functools
import random
from collections.abc import Iterable, Mapping

from icl_gen.pretraining import english
from icl_gen.text import categories
from icl_gen.text.forms import persons
from icl_gen.text.forms.split import PARTS
from icl_gen.text.forms.taxonomy import PLAIN, REWORDED, STYLES
from icl_gen.types import Fact

# What forms are drawn from, next to the words for kinds.
_WORDS = (*english.OTHER[:150], *english.PLACES, *persons.VERBS.seen)
# One of them is in every form of 'is a', which says nothing else otherwise.
_KINDS = ('kind', 'type', 'group', 'family')
_OPENINGS = (0, 0, 1, 2, 3)  # words before the first noun
_BETWEEN = (1, 2, 3, 4)  # words between the nouns
# How often 'the' stands before the last noun. Without it, a model expects
# English words there.
_THE = 0.25
# How often the first noun is in the singular, and what it then follows.
_SINGULAR = 0.3
_ARTICLES = ('a', 'the', 'every')


@dataclasses.dataclass(frozen=True)
class Wording:
  """The forms in which an episode says its facts.

  Attributes:
    part: of the tables, one of `forms.split.PARTS`, for all other relations.
    own: relation -> its form and that of its inverse, as in `forms.taxonomy`.
  """

  part: str = 'seen'
  own: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)

  def said(self, fact: Fact) -> str:
    """Renders a fact from either side, its object last: 'gruds have wicks'."""
    forms = self.own.get(categories.base(fact.relation))
    if forms is None:
      return categories.said(fact, part=self.part)
    reverse = categories.is_inverse(fact.relation)
    forward = categories.flip(fact) if reverse else fact
    return categories.fill(
      forms[reverse],
      forward.relation,
      forward.subject,
      forward.object,
      reverse=reverse,
    )


def draw(
  rng: random.Random, relations: Iterable[str], *, part: str, share: float
) -> Wording:
  """Draws the wording of an episode.

  Args:
    rng: source of all random draws; none is made if `share` is 0.
    relations: 'is a', 'has', 'is' and nonsense verbs.
    part: as for `Wording`.
    share: of the relations that get forms of their own.
  """
  if not share:
    return Wording(part)
  own = {
    relation: (_form(rng, relation, False), _form(rng, relation, True))
    for relation in relations
    if rng.random() < share
  }
  return Wording(part, own)


def opening(rng: random.Random) -> str:
  """Draws words that may open a statement: 'near who joined that'."""
  return ' '.join([*rng.choices(_WORDS, k=rng.randint(1, 4)), 'that'])


def around(rng: random.Random, first: str, last: str) -> str:
  """Draws words before and between two slots: 'near {N} did joined {D}'."""
  before = rng.choices(_WORDS, k=rng.choice(_OPENINGS))
  between = rng.choices(_WORDS, k=rng.choice(_BETWEEN))
  return ' '.join((*before, first, *between, last))


def _form(rng: random.Random, relation: str, reverse: bool) -> str:
  """Draws a form that is none of the tables."""
  while True:
    first, last = ('{B}', '{A}') if reverse else ('{A}', '{B}')
    before = rng.choices(_WORDS, k=rng.choice(_OPENINGS))
    between = rng.choices(_WORDS, k=rng.choice(_BETWEEN))
    # An adjective has no singular.
    if rng.random() < _SINGULAR and not (relation == 'is' and reverse):
      before.append(rng.choice(_ARTICLES))
      first = first.lower()
    if relation == 'is a':
      within = rng.choice((before, between))
      within.insert(0, rng.choice(_KINDS))
    elif relation not in PLAIN.seen:
      between.insert(rng.randint(0, len(between)), '{V}')
    if rng.random() < _THE and (relation != 'is' or reverse):
      between.append('the')
    form = ' '.join((*before, first, *between, last))
    if form not in _tables():
      return form


@functools.cache
def _tables() -> frozenset[str]:
  """All forms of all tables, in any part."""
  return frozenset(
    form
    for part in PARTS
    for table in (PLAIN[part], REWORDED[part])
    for pair in table.values()
    for form in pair
  ) | frozenset(
    form
    for part in PARTS
    for pair in STYLES[part].values()
    for forms in pair
    for form in forms
  )
