"""Categories: 'gruds are a type of flomps', 'gruds have wicks', said and read.

Every fact can be said from either side: Fact('gruds', 'has', 'wicks') as 'gruds
have wicks', its flip Fact('wicks', 'found on', 'gruds') as 'wicks are found on
gruds'. Nouns are in the plural in every fact.
"""

import itertools
import re
from collections.abc import Callable

from icl_gen.text import inflection, sentences
from icl_gen.text.forms.split import PARTS
from icl_gen.text.forms.taxonomy import (
  HEADINGS,
  PLAIN,
  QUESTIONS,
  REWORDED,
  SPEAKERS,
  STYLES,
)
from icl_gen.types import Fact, World

# --- relations and their inverses ---------------------------------------------

_INVERSE = {'is a': 'includes', 'has': 'found on', 'is': 'describes'}
_BASE = {inverse: relation for relation, inverse in _INVERSE.items()}
_BY = inflection.past('') + ' by'  # 'blim' -> 'blimed by'


def inverse(relation: str) -> str:
  """'has' <-> 'found on', and for a verb 'blim' <-> 'blimed by'."""
  if relation in _INVERSE:
    return _INVERSE[relation]
  if is_inverse(relation):
    return base(relation)
  return relation + _BY


def is_inverse(relation: str) -> bool:
  """Whether the relation is one of those that start with the object."""
  return relation in _BASE or relation.endswith(_BY)


def base(relation: str) -> str:
  """The relation of which this is the inverse, or itself.

  'found on' -> 'has'; 'has' -> 'has'.
  """
  return _BASE.get(relation, relation.removesuffix(_BY))


def flip(fact: Fact) -> Fact:
  """Returns the same fact, said from the other side."""
  return Fact(fact.object, inverse(fact.relation), fact.subject)


# --- saying -------------------------------------------------------------------


def forms(
  relation: str, *, reverse: bool, part: str = 'seen'
) -> tuple[str, ...]:
  """All forms of a relation in one direction, the plain one first.

  Args:
    relation: as for `fill`.
    reverse: whether the forms are of the inverse.
    part: of the tables, one of `forms.split.PARTS`.
  """
  key = _key(relation)
  return (PLAIN[part][key][reverse], *STYLES[part][key][reverse])


def fill(
  form: str, relation: str, subject: str, object_: str, *, reverse: bool
) -> str:
  """Puts the words of a statement into one of its forms.

  Args:
    form: one of `forms`, or of the questions.
    relation: 'is a', 'has', 'is', or a nonsense verb ('blim').
    subject: a plural noun.
    object_: a plural noun; an adjective for 'is'.
    reverse: whether the form starts with the object.
  """
  words = {
    '{A}': subject,
    '{B}': object_,
    '{V}': inflection.past(relation) if reverse else relation,
    '{v}': inflection.plural(relation),
  }
  for slot, noun in (('{a}', subject), ('{b}', object_)):
    if slot in form:
      words[slot] = inflection.singular(noun)
  for slot, word in words.items():
    form = form.replace(slot, word)
  return form


def statement(
  relation: str,
  subject: str,
  object_: str,
  *,
  reverse: bool = False,
  part: str = 'seen',
) -> str:
  """Renders the plain form: 'gruds are a type of flomps'.

  Args:
    relation: as for `fill`.
    subject: as for `fill`.
    object_: as for `fill`.
    reverse: whether to start with the object: 'flomps include gruds'.
    part: of the tables, one of `forms.split.PARTS`.
  """
  form = PLAIN[part][_key(relation)][reverse]
  return fill(form, relation, subject, object_, reverse=reverse)


def question(fact: Fact, *, part: str = 'seen') -> str:
  """Renders the question that a fact answers, in its direction.

  'What do gruds blim?', or of the inverse 'What are flomps blimed by?'.
  """
  return _filled(fact, lambda key, reverse: QUESTIONS[part][key][reverse])


def heading(style: str, noun: str, *, part: str = 'seen') -> str:
  """Renders the opening of a text about a category: 'What is known of gruds:'.

  Args:
    style: 'list', 'definition' or 'dialogue'.
    noun: the category, in the plural.
    part: of the tables, one of `forms.split.PARTS`.
  """
  form = HEADINGS[part][style]
  return form.replace('{A}', noun).replace('{a}', inflection.singular(noun))


def reworded(fact: Fact, *, part: str = 'seen') -> str:
  """Renders a fact in words that only questions have, the object last."""
  return _filled(fact, lambda key, reverse: REWORDED[part][key][reverse])


def said(fact: Fact, *, part: str = 'seen') -> str:
  """Renders a fact in its plain form: 'gruds have wicks'."""
  return in_form(fact, lambda forms: forms[0], part=part)


def in_form(
  fact: Fact,
  choose: Callable[[tuple[str, ...]], str],
  *,
  part: str = 'seen',
) -> str:
  """Renders a fact in the form that `choose` picks from all its forms."""
  return _filled(
    fact, lambda key, reverse: choose(forms(key, reverse=reverse, part=part))
  )


def _filled(fact: Fact, form_of: Callable[[str, bool], str]) -> str:
  """Puts a fact into the form that is given for its relation and direction."""
  reverse = is_inverse(fact.relation)
  forward = flip(fact) if reverse else fact
  return fill(
    form_of(_key(forward.relation), reverse),
    forward.relation,
    forward.subject,
    forward.object,
    reverse=reverse,
  )


def sentence(statement: str) -> str:
  """'gruds have wicks' -> 'Gruds have wicks.'."""
  return f'{statement[0].upper()}{statement[1:]}.'


def _key(relation: str) -> str:
  return relation if relation in PLAIN.seen else 'verb'


# --- reading ------------------------------------------------------------------

_SPEAKER = re.compile(
  rf'^(?:{"|".join(SPEAKERS)}): |(?<=[.!?] )A: |^- ', re.MULTILINE
)
# Headings and questions assert nothing.
_NOT_ASSERTED = re.compile(
  '|'.join(
    re.sub(r'\\\{\w\\\}', r'\\w+', re.escape(form))
    for form in (
      *(form for part in HEADINGS for form in part.values()),
      *itertools.chain(*(pair for part in QUESTIONS for pair in part.values())),
    )
  ),
  re.IGNORECASE,
)


def reader(world: World) -> sentences.Reader:
  """Makes the reader of statements about categories, in all their forms.

  Nouns and adjectives may be any words. Facts are returned in lower case, with
  nouns in the plural. Speakers, headings and questions are skipped.

  Args:
    world: its nonsense verbs are the only verbs that are understood.
  """
  relations = dict.fromkeys(base(fact.relation) for fact in world.facts)
  patterns = [
    (_pattern(form, relation, reverse=reverse), relation, reverse)
    for part in PARTS
    for relation in dict.fromkeys([*PLAIN.seen, *relations])
    if relation != 'verb'
    for reverse in (False, True)
    for form in (
      *forms(relation, reverse=reverse, part=part),
      REWORDED[part][_key(relation)][reverse],
    )
  ]

  def read_sentence(sentence: str) -> Fact | None:
    for pattern, relation, reverse in patterns:
      if match := pattern.fullmatch(sentence.rstrip('.!?').lower()):
        words = match.groupdict()
        subject, object_ = (
          words[noun]
          if noun in words
          else inflection.plural(words[f'one_{noun}'])
          for noun in 'AB'
        )
        fact = Fact(subject, relation, object_)
        return flip(fact) if reverse else fact
    return None

  read = sentences.reader(read_sentence)
  return lambda text: read(_NOT_ASSERTED.sub(' ', _SPEAKER.sub('', text)))


def _pattern(form: str, relation: str, *, reverse: bool) -> re.Pattern[str]:
  """Matches a form of a relation with any nouns."""
  slots = {
    '{A}': '(?P<A>[a-z]+s)',
    '{B}': '(?P<B>[a-z]+s)' if relation != 'is' else '(?P<B>[a-z]+(?<!s))',
    '{a}': '(?P<one_A>[a-z]+(?<!s))',
    '{b}': '(?P<one_B>[a-z]+(?<!s))',
    '{V}': inflection.past(relation) if reverse else relation,
    '{v}': inflection.plural(relation),
  }
  return re.compile(re.sub(r'\{\w\}', lambda slot: slots[slot.group()], form))
