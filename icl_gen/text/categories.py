"""Categories: 'gruds are a type of flomps', 'gruds have wicks', said and read.

Every fact can be said from either side: Fact('gruds', 'has', 'wicks') as 'gruds
have wicks', its flip Fact('wicks', 'found on', 'gruds') as 'wicks are found on
gruds'. Nouns are in the plural in every fact.
"""

import itertools
import re
from collections.abc import Callable

from icl_gen.text import inflection, sentences
from icl_gen.types import Fact, World

# Relation -> its plain form and the plain form of its inverse. {A} is the
# subject and {B} the object, both in the plural; {V} is a nonsense verb.
FORMS = {
  'is a': ('{A} are a type of {B}', '{B} include {A}'),
  'has': ('{A} have {B}', '{B} are found on {A}'),
  'is': ('{A} are {B}', 'things that are {B} include {A}'),
  'verb': ('{A} {V} {B}', '{B} are {V} by {A}'),
}
# Other forms of the same, in both directions. {a} and {b} are in the singular,
# {v} is the verb in the third person.
STYLES = {
  'is a': (
    (
      'a {a} is a type of {b}',
      'every {a} is a type of {b}',
      'the {a} is one of the {B}',
    ),
    ('the {B} include the {A}', 'one type of {b} is the {a}'),
  ),
  'has': (
    ('a {a} has {B}', 'every {a} has {B}', 'all {A} have {B}'),
    ('{B} are found on every {a}', 'the {B} are those of {A}'),
  ),
  'is': (
    ('a {a} is {B}', 'every {a} is {B}', 'all {A} are {B}'),
    ('one {B} thing is the {a}', 'among {B} things are the {A}'),
  ),
  'verb': (
    ('a {a} {v} {B}', 'every {a} {v} {B}', 'the {a} {v} the {b}'),
    ('a {b} is {V} by {A}', 'the {b} is {V} by the {a}'),
  ),
}
# The questions that a statement answers, in both directions.
QUESTIONS = {
  'is a': ('What are {A} a type of?', 'What do {B} include?'),
  'has': ('What do {A} have?', 'What are {B} found on?'),
  'is': ('What are {A} like?', 'What is it that is {B}?'),
  'verb': ('What do {A} {V}?', 'What are {B} {V} by?'),
}
# The opening of a text about the category {A}, by the style of the text.
HEADINGS = {
  'list': 'What is known of {A}:',
  'definition': 'The meaning of {a}:',
  'dialogue': 'Tell me about {A}.',
}
SPEAKERS = ('Q', 'A')  # of a dialogue

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


def forms(relation: str, *, reverse: bool) -> tuple[str, ...]:
  """All forms of a relation in one direction, the plain one first."""
  key = _key(relation)
  return (FORMS[key][reverse], *STYLES[key][reverse])


def fill(
  form: str, relation: str, subject: str, object_: str, *, reverse: bool
) -> str:
  """Puts the words of a statement into one of its forms.

  Args:
    form: one of `forms`, or of QUESTIONS.
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
  relation: str, subject: str, object_: str, *, reverse: bool = False
) -> str:
  """Renders the plain form: 'gruds are a type of flomps'.

  Args:
    relation: as for `fill`.
    subject: as for `fill`.
    object_: as for `fill`.
    reverse: whether to start with the object: 'flomps include gruds'.
  """
  form = FORMS[_key(relation)][reverse]
  return fill(form, relation, subject, object_, reverse=reverse)


def question(
  relation: str, subject: str, object_: str, *, reverse: bool
) -> str:
  """Renders 'What do gruds blim?', or reversed 'What are flomps blimed by?'."""
  form = QUESTIONS[_key(relation)][reverse]
  return fill(form, relation, subject, object_, reverse=reverse)


def said(fact: Fact) -> str:
  """Renders a fact in its plain form: 'gruds have wicks'."""
  return in_form(fact, lambda forms: forms[0])


def in_form(fact: Fact, choose: Callable[[tuple[str, ...]], str]) -> str:
  """Renders a fact in the form that `choose` picks from all its forms."""
  reverse = is_inverse(fact.relation)
  forward = flip(fact) if reverse else fact
  form = choose(forms(forward.relation, reverse=reverse))
  return fill(
    form, forward.relation, forward.subject, forward.object, reverse=reverse
  )


def sentence(statement: str) -> str:
  """'gruds have wicks' -> 'Gruds have wicks.'."""
  return f'{statement[0].upper()}{statement[1:]}.'


def _key(relation: str) -> str:
  return relation if relation in FORMS else 'verb'


# --- reading ------------------------------------------------------------------

_SPEAKER = re.compile(
  rf'^(?:{"|".join(SPEAKERS)}): |(?<=[.!?] )A: |^- ', re.MULTILINE
)
# Headings and questions assert nothing.
_NOT_ASSERTED = re.compile(
  '|'.join(
    re.sub(r'\\\{\w\\\}', r'\\w+', re.escape(form))
    for form in (
      *HEADINGS.values(),
      *itertools.chain(*QUESTIONS.values()),
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
    for relation in dict.fromkeys([*STYLES, *relations])
    if relation != 'verb'
    for reverse in (False, True)
    for form in forms(relation, reverse=reverse)
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
