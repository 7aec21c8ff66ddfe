"""How an episode says its relations: in fixed forms, or in forms of its own.

A model that reads a relation in one form only learns what this form needs, and
is lost in another one. Forms that are drawn for an episode occur nowhere else,
so that nothing but the context says what belongs together.
"""

import dataclasses
import functools
import random
from collections.abc import Callable, Iterable, Mapping

from icl_gen.pretraining import english, spelling
from icl_gen.text import categories
from icl_gen.text.forms import persons
from icl_gen.text.forms.split import PARTS
from icl_gen.text.forms.statements import PREAMBLES
from icl_gen.text.forms.taxonomy import PLAIN, REWORDED, STYLES
from icl_gen.types import Fact

# The verbs that are not held out.
VERBS = tuple(
  verb
  for verb in english.VERBS
  if verb not in (*persons.VERBS.development, *persons.VERBS.test)
)
# What forms are drawn from, next to the words for kinds.
_WORDS = (*english.OTHER[:150], *english.PLACES, *VERBS)
# One of them is in every form of 'is a', which says nothing else otherwise, and
# in half of its inverses: the other half is known by being like no document.
_KINDS = ('kind', 'type', 'group', 'family')
_OPENINGS = (0, 0, 1, 2, 3)  # words before the first noun
_BETWEEN = (1, 2, 3, 4)  # words between the nouns
# How often 'the' stands before the last noun. Without it, a model expects
# English words there.
_THE = 0.25
# What follows the first of two slots of a sentence; how often the second one
# comes next; and how often words come after it.
_JOINTS = ('', '', '', ',', ':')
_NEXT = 0.2
_AFTER = 0.3
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
  rng: random.Random,
  relations: Iterable[str],
  *,
  part: str,
  share: float,
  spelt: float = 0.0,
) -> Wording:
  """Draws the wording of an episode.

  Args:
    rng: source of all random draws; none is made if `share` is 0.
    relations: 'is a', 'has', 'is' and nonsense verbs.
    part: as for `Wording`.
    share: of the relations that get forms of their own.
    spelt: share of the words of these forms that are no English.
  """
  if not share:
    return Wording(part)
  own = {
    relation: (
      _form(rng, relation, False, spelt),
      _form(rng, relation, True, spelt),
    )
    for relation in relations
    if rng.random() < share
  }
  return Wording(part, own)


def opening(rng: random.Random, *, spelt: float = 0.0) -> str:
  """Draws words that may open a statement: 'near who joined that'."""
  return _unlike_tables(
    lambda: ' '.join([*_words(rng, rng.randint(1, 4), spelt), 'that'])
  )


def around(
  rng: random.Random, first: str, last: str, *, spelt: float = 0.0
) -> str:
  """Draws a sentence about two slots: 'near {N}, did joined {D} by.'"""

  def sentence() -> str:
    joint = rng.choice(_JOINTS)
    # Nothing but a joint, or not even this, may stand between.
    between = [] if rng.random() < _NEXT else _between(rng, spelt)
    after = _between(rng, spelt) if rng.random() < _AFTER else []
    words = *_before(rng, spelt), first + joint, *between, last, *after
    return ' '.join(words) + '.'

  return _unlike_tables(sentence)


def lead(rng: random.Random, *, spelt: float = 0.0) -> str:
  """Draws a form of `persons.DESCRIPTIONS` without a verb of its own."""

  def form() -> str:
    return ' '.join(('the {adjective} {role}', *_between(rng, spelt), 'the'))

  return _unlike_tables(form)


def _form(
  rng: random.Random, relation: str, reverse: bool, spelt: float
) -> str:
  """Draws a form of a relation, or of its inverse."""

  def form() -> str:
    first, last = ('{B}', '{A}') if reverse else ('{A}', '{B}')
    before, between = _before(rng, spelt), _between(rng, spelt)
    # An adjective has no singular.
    if rng.random() < _SINGULAR and not (relation == 'is' and reverse):
      before.append(rng.choice(_ARTICLES))
      first = first.lower()
    if relation == 'is a' and not (reverse and rng.random() < 0.5):
      within = rng.choice((before, between))
      within.insert(0, rng.choice(_KINDS))
    if relation not in PLAIN.seen:
      between.insert(rng.randint(0, len(between)), '{V}')
    if rng.random() < _THE and (relation != 'is' or reverse):
      between.append('the')
    return ' '.join((*before, first, *between, last))

  return _unlike_tables(form)


def _before(rng: random.Random, spelt: float) -> list[str]:
  return _words(rng, rng.choice(_OPENINGS), spelt)


def _between(rng: random.Random, spelt: float) -> list[str]:
  return _words(rng, rng.choice(_BETWEEN), spelt)


def _words(rng: random.Random, count: int, spelt: float) -> list[str]:
  """Draws words for a form; those that are spelt have several pieces.

  So have most English words that are in no lesson, such as those of held-out
  forms. A model that only read whole pieces around its nouns takes whatever
  has several for a noun.
  """
  drawn = rng.choices(_WORDS, k=count)
  if not spelt:  # Draws nothing more, so that rows without stay as they are.
    return drawn
  return [
    spelling.either(rng) if rng.random() < spelt else word for word in drawn
  ]


def _unlike_tables(draw: Callable[[], str]) -> str:
  """Draws until it is none of the tables', whose sentences have capitals."""
  while True:
    drawn = draw()
    verbless = (
      '{verb}' if word in VERBS else word for word in drawn.lower().split(' ')
    )
    if not {drawn.lower(), ' '.join(verbless)} & _tables():
      return drawn


@functools.cache
def _tables() -> frozenset[str]:
  """All preambles, and all forms of relations and people, in lower case."""
  found: set[str] = set()
  for part in PARTS:
    found.update(PREAMBLES[part])
    found.update(persons.NAME_FIRST[part], persons.DESCRIPTION_FIRST[part])
    found.update(persons.DESCRIPTIONS[part])
    for table in (PLAIN[part], REWORDED[part]):
      found.update(form for pair in table.values() for form in pair)
    for forms in STYLES[part].values():
      found.update(*forms)
  return frozenset(form.lower() for form in found)
