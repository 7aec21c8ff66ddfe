"""Categories: 'gruds are a type of flomps', 'gruds have wicks'; what is said of them."""

from collections.abc import Callable

from icl_gen.types import Fact

ABILITIES = tuple(
  """swim fly sing dig climb jump hunt glow float hide dance build run crawl
  whistle roll sting melt spin howl""".split()
)


def kind_of(child: str, parent: str) -> str:
  """'all glon are a kind of troff'."""
  return f'all {child} are a kind of {parent}'


def can(kind: str, ability: str) -> str:
  """'all troff can swim'."""
  return f'all {kind} can {ability}'


# {A} is the subject and {B} the object of a relation, {V} a nonsense verb;
# nouns stand in the plural. The second form says the same and starts with the
# object.
FORMS = {
  'is a': ('{A} are a type of {B}', '{B} include {A}'),
  'has': ('{A} have {B}', '{B} are found on {A}'),
  'is': ('{A} are {B}', 'things that are {B} include {A}'),
  'verb': ('{A} {V} {B}', '{B} are {V} by {A}'),
}


# Further ways to say the same, in both directions: {a} and {b} stand in the
# singular, {v} is the verb's third person.
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


# What is asked in a dialogue before the statement is made.
QUESTIONS = {
  'is a': ('What are {A} a type of?', 'What do {B} include?'),
  'has': ('What do {A} have?', 'What are {B} found on?'),
  'is': ('What are {A} like?', 'What is it that is {B}?'),
  'verb': ('What do {A} {V}?', 'What are {B} {V} by?'),
}


# What comes before the statements of a text.
HEADINGS = {
  'list': 'What is known of {A}:',
  'definition': 'The meaning of {a}:',
  'dialogue': 'Tell me about {A}.',
}


SPEAKERS = ('Q', 'A')


def forms(relation: str, *, reverse: bool) -> tuple[str, ...]:
  """All forms of a relation in one direction, the plain one first."""
  key = _key(relation)
  return (FORMS[key][reverse], *STYLES[key][reverse])


def question(
  relation: str, subject: str, object_: str, *, reverse: bool
) -> str:
  """'What do gruds blim?', or 'What are flomps blimed by?'."""
  form = QUESTIONS[_key(relation)][reverse]
  return fill(form, relation, subject, object_, reverse=reverse)


def fill(
  form: str, relation: str, subject: str, object_: str, *, reverse: bool
) -> str:
  """Puts the words of a statement into one of its forms."""
  words = {
    '{A}': subject,
    '{B}': object_,
    '{V}': past(relation) if reverse else relation,
    '{v}': plural(relation),
  }
  for slot, noun in (('{a}', subject), ('{b}', object_)):
    if slot in form:
      words[slot] = singular(noun)
  for slot, word in words.items():
    form = form.replace(slot, word)
  return form


def _key(relation: str) -> str:
  return relation if relation in FORMS else 'verb'


def statement(
  relation: str, subject: str, object_: str, *, reverse: bool = False
) -> str:
  """'gruds are a type of flomps', or 'flomps include gruds'.

  Args:
    relation: 'is a', 'has', 'is', or a nonsense verb ('blim').
    subject: a plural noun.
    object_: a plural noun; an adjective for 'is'.
    reverse: whether to start with the object.
  """
  form = FORMS[_key(relation)][reverse]
  return fill(form, relation, subject, object_, reverse=reverse)


def plural(word: str) -> str:
  """'grud' -> 'gruds'; a verb's third person is made in the same way."""
  return word + ('es' if word.endswith(('s', 'x', 'z', 'ch', 'sh')) else 's')


def singular(noun: str) -> str:
  """'gruds' -> 'grud': undoes `plural`, as no nonsense word ends in e."""
  return noun[:-2] if noun == plural(noun[:-2]) else noun[:-1]


def past(verb: str) -> str:
  """'blim' -> 'blimed': nonsense verbs double no letter."""
  return verb + 'ed'


_INVERSE = {'is a': 'includes', 'has': 'found on', 'is': 'describes'}


_BASE = {inverse: relation for relation, inverse in _INVERSE.items()}


_BY = past('') + ' by'


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
  return in_form(fact, lambda forms: forms[0])


def in_form(fact: Fact, choose: Callable[[tuple[str, ...]], str]) -> str:
  reverse, relation = is_inverse(fact.relation), base(fact.relation)
  one, other = (
    (fact.object, fact.subject)
    if reverse
    else (
      fact.subject,
      fact.object,
    )
  )
  form = choose(forms(relation, reverse=reverse))
  return fill(form, relation, one, other, reverse=reverse)


def sentence(statement: str) -> str:
  """'gruds have wicks' -> 'Gruds have wicks.'."""
  return f'{statement[0].upper()}{statement[1:]}.'
