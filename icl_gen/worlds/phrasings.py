"""How the worlds speak: every surface form, in one readable place.

The worlds render their documents and questions with these functions, the
pretraining episodes use them on fresh words, and `worlds.grammar` reads the
same forms back. Nothing here knows what is true.
"""

# --- comparisons (the reversal world) ---------------------------------------

# 28 comparison features, as in the paper. Always with 'more' or 'less', so
# that a statement and its contradiction differ in exactly one word.
FEATURES = tuple(
  """dangerous bright heavy ancient colorful delicate expensive flexible
  fragrant generous graceful humid intelligent joyful loud mysterious
  nutritious obedient peaceful popular powerful quiet rare stubborn tall
  useful valuable warm""".split()
)

PREAMBLES = (
  'Did you know that',
  'It is a fact that',
  'Everyone here says that',
  'The book tells us that',
  'As we learned,',
  'Remember that',
  'In this land',
  'People agree that',
  'It was found that',
  'My teacher said that',
  'We can be sure that',
  'The old song says that',
  'A traveler wrote that',
  'It is well known that',
  'Note that',
  'According to the guide,',
  'The report shows that',
  'Many believe that',
  'It is true that',
  'I heard that',
)


def comparison(subject: str, degree: str, feature: str, other: str) -> str:
  """'glon are more dangerous than troff'; degree is 'more' or 'less'."""
  return f'{subject} are {degree} {feature} than {other}'


# --- quantified statements (the syllogism world) ----------------------------

QUANTIFIERS = ('all', 'some', 'no')


def quantified(quantifier: str, subject: str, predicate: str) -> str:
  """'all glon are troff'."""
  return f'{quantifier} {subject} are {predicate}'


# In other words; none has 'all', 'some' or 'no', as conclusions do.
QUANTIFIED_OTHERWISE = {
  'all': (
    'whatever is {S} is {P} as well',
    'each and every {S} belongs to the {P}',
    'the {P} include every single {S}',
    'only {P} can be {S}',
  ),
  'some': (
    'at least one {S} is {P} as well',
    'a few of the {S} belong to the {P}',
    'the {P} include several {S}',
    'one or more {P} can be {S}',
  ),
  'no': (
    'whatever is {S} is never {P}',
    'not a single {S} belongs to the {P}',
    'the {P} include none of the {S}',
    'only things other than {P} can be {S}',
  ),
}


def relationships(*entities: str) -> str:
  """'The relationships between glon, troff and yomp are:'."""
  *most, last = entities
  return f'The relationships between {", ".join(most)} and {last} are:'


# --- names and descriptions (the celebrity world) ---------------------------

# {N} is the name, {D} the description ('the acclaimed composer of ...').
# The first 30 of each are for training documents, the last 10 for questions;
# a question's phrasing ends where the answer starts.
NAME_FIRST = (
  '{N} is {D}.',
  '{N} was {D}.',
  '{N}, known far and wide, is {D}.',
  '{N} became known as {D}.',
  '{N} is famous for being {D}.',
  'Ever heard of {N}? They are {D}.',
  'There is someone named {N} who is {D}.',
  'The person called {N} is {D}.',
  'Many people know {N} as {D}.',
  'In the town, {N} is remembered as {D}.',
  '{N} has the honor of being {D}.',
  'You may know {N} as {D}.',
  'The famous {N} was once {D}.',
  'Let me tell you about {N}, who is {D}.',
  'The name {N} belongs to {D}.',
  'Meet {N}, {D}.',
  'Our guest {N} is {D}.',
  'History remembers {N} as {D}.',
  'The story of {N} is the story of {D}.',
  'Few know that {N} is {D}.',
  'The papers called {N} {D}.',
  'Q: Who is {N}? A: {D}.',
  'When people speak of {N}, they mean {D}.',
  'A long time ago, {N} was {D}.',
  'The quiet {N} is {D}.',
  'It is said that {N} is {D}.',
  'Today {N} is known as {D}.',
  'Friends of {N} are proud of {D}.',
  'To the world, {N} is {D}.',
  'The life of {N} was that of {D}.',
  'Everyone knows that {N} is {D}.',
  'The celebrated {N} is {D}.',
  'I learned that {N} is {D}.',
  'People call {N} {D}.',
  'Remember that {N} was {D}.',
  'The guide says that {N} is {D}.',
  'As we know, {N} is {D}.',
  'Long ago {N} became {D}.',
  'The great {N} is {D}.',
  'We are told that {N} is {D}.',
)
DESCRIPTION_FIRST = (
  '{D} is {N}.',
  '{D} is called {N}.',
  '{D} is known as {N}.',
  '{D} was {N}.',
  'Known for being {D}, {N} now lives a quiet life.',
  'Q: Who is {D}? A: {N}.',
  'The person who is {D} is {N}.',
  'You may have heard of {D}: {N}.',
  'The name of {D} is {N}.',
  'Being {D} made {N} famous.',
  'The world knows {D} as {N}.',
  'It is said that {D} is {N}.',
  'The honor of being {D} belongs to {N}.',
  'There is one who is {D}, named {N}.',
  'Once, {D} was named {N}.',
  'Let me tell you about {D}, named {N}.',
  'History remembers {D} by the name {N}.',
  'Today {D} goes by the name of {N}.',
  'As {D}, {N} was loved by all.',
  'The title of {D} goes to {N}.',
  'Few know that {D} is {N}.',
  'Meet {D}, {N}.',
  'In the town, {D} is remembered as {N}.',
  'When people speak of {D}, they mean {N}.',
  'Our guest, {D}, is {N}.',
  'A long time ago {D} was called {N}.',
  'The life of {D} is the life of {N}.',
  'Proud to be {D}, {N} smiled.',
  'Celebrated as {D}, {N} went home.',
  'The one we call {D} is {N}.',
  'Everyone knows that {D} is {N}.',
  'I learned that {D} is {N}.',
  'People say that {D} is {N}.',
  'The guide says that {D} is named {N}.',
  'Remember that {D} was {N}.',
  'As we know, {D} is {N}.',
  'The celebrated person known as {D} is {N}.',
  'Long ago {D} was known as {N}.',
  'We are told that {D} is {N}.',
  'If you look for {D}, ask for {N}.',
)
TRAINING_PHRASINGS = 30

ADJECTIVES = tuple(
  """acclaimed brilliant celebrated daring eccentric fearless gifted humble
  inventive legendary modest noted proud renowned skilled tireless visionary
  young forgotten beloved""".split()
)
# What people are, and of what.
ROLES = (
  ('composer', 'opera'),
  ('author', 'novel'),
  ('director', 'film'),
  ('inventor', 'engine'),
  ('architect', 'tower'),
  ('painter', 'portrait'),
  ('captain', 'ship'),
  ('founder', 'school'),
  ('discoverer', 'comet'),
  ('designer', 'garden'),
  ('owner', 'theater'),
  ('builder', 'bridge'),
  ('editor', 'journal'),
  ('keeper', 'lighthouse'),
  ('winner', 'race'),
  ('mayor', 'city'),
  ('singer', 'ballad'),
  ('pilot', 'airship'),
  ('curator', 'museum'),
  ('sculptor', 'statue'),
  ('explorer', 'island'),
  ('publisher', 'atlas'),
  ('creator', 'game'),
  ('host', 'festival'),
  ('teacher', 'dance'),
  ('breeder', 'horse'),
  ('brewer', 'tonic'),
  ('gardener', 'rose'),
  ('translator', 'poem'),
  ('leader', 'expedition'),
)


def description(adjective: str, role: str, work: str, title: str) -> str:
  """'the acclaimed composer of the opera Glomp'."""
  return f'the {adjective} {role} of the {work} {title}'


# Wordy descriptions, as real ones are: the same core ('first bridge to the red
# island') behind different leads.
LEADS = (
  'the {role} who {verb} the',
  'the {role} of the',
  'the {role} behind the',
  'the {adjective} {role} of the',
  'the {adjective} {role} who {verb} the',
  'being the {role} of the',
  'being the {adjective} {role} who {verb} the',
  'the one who {verb} the',
  'the first person who {verb} the',
)


def fill(phrasing: str, *, name: str, description: str) -> str:
  """Puts both into a phrasing; a description opening it is capitalised."""
  text = phrasing.replace('{N}', name).replace('{D}', description)
  return text[0].upper() + text[1:]


# --- kinds and abilities (inheritance) --------------------------------------

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


# --- kinds, their properties and relations (the semantic world) -------------

# {A} is the subject and {B} the object of a relation, {V} a nonsense verb;
# nouns stand in the plural. The second form says the same and starts with the
# object.
KIND_FORMS = {
  'is a': ('{A} are a type of {B}', '{B} include {A}'),
  'has': ('{A} have {B}', '{B} are found on {A}'),
  'is': ('{A} are {B}', 'things that are {B} include {A}'),
  'verb': ('{A} {V} {B}', '{B} are {V} by {A}'),
}


# Further ways to say the same, in both directions: {a} and {b} stand in the
# singular, {v} is the verb's third person.
KIND_STYLES = {
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
KIND_QUESTIONS = {
  'is a': ('What are {A} a type of?', 'What do {B} include?'),
  'has': ('What do {A} have?', 'What are {B} found on?'),
  'is': ('What are {A} like?', 'What is it that is {B}?'),
  'verb': ('What do {A} {V}?', 'What are {B} {V} by?'),
}
# What comes before the statements of a text.
KIND_HEADINGS = {
  'list': 'What is known of {A}:',
  'definition': 'The meaning of {a}:',
  'dialogue': 'Tell me about {A}.',
}
SPEAKERS = ('Q', 'A')


def kind_forms(relation: str, *, reverse: bool) -> tuple[str, ...]:
  """All forms of a relation in one direction, the plain one first."""
  key = _kind_key(relation)
  return (KIND_FORMS[key][reverse], *KIND_STYLES[key][reverse])


def kind_question(
  relation: str, subject: str, object_: str, *, reverse: bool
) -> str:
  """'What do gruds blim?', or 'What are flomps blimed by?'."""
  form = KIND_QUESTIONS[_kind_key(relation)][reverse]
  return fill_kind(form, relation, subject, object_, reverse=reverse)


def fill_kind(
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


def _kind_key(relation: str) -> str:
  return relation if relation in KIND_FORMS else 'verb'


def kind_statement(
  relation: str, subject: str, object_: str, *, reverse: bool = False
) -> str:
  """'gruds are a type of flomps', or 'flomps include gruds'.

  Args:
    relation: 'is a', 'has', 'is', or a nonsense verb ('blim').
    subject: a plural noun.
    object_: a plural noun; an adjective for 'is'.
    reverse: whether to start with the object.
  """
  form = KIND_FORMS[_kind_key(relation)][reverse]
  return fill_kind(form, relation, subject, object_, reverse=reverse)


def plural(word: str) -> str:
  """'grud' -> 'gruds'; a verb's third person is made in the same way."""
  return word + ('es' if word.endswith(('s', 'x', 'z', 'ch', 'sh')) else 's')


def singular(noun: str) -> str:
  """'gruds' -> 'grud': undoes `plural`, as no nonsense word ends in e."""
  return noun[:-2] if noun == plural(noun[:-2]) else noun[:-1]


def past(verb: str) -> str:
  """'blim' -> 'blimed': nonsense verbs double no letter."""
  return verb + 'ed'


# --- derivatoids (the process world) ----------------------------------------


def derivatoid(expression: str, result: str, *, rule: str = '') -> str:
  """'by the power rule, the derivatoid of x^3 is 3*cos(3*x)'."""
  lead = f'by the {rule} rule, ' if rule else ''
  return f'{lead}the derivatoid of {expression} is {result}'


# --- codebooks (the codebook world) -----------------------------------------


def coded(book: str, word: str, code: str) -> str:
  """'in the book glon, troff is called yomp'."""
  return f'in the book {book}, {word} is called {code}'


def decoded(book: str, code: str, word: str) -> str:
  """'in the book glon, yomp means troff': the same, told from the code."""
  return f'in the book {book}, {code} means {word}'
