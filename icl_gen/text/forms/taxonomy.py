"""Statements and questions about categories, in three parts.

{A} is the subject and {B} the object, both in the plural; {a} and {b} are the
same in the singular. {V} is a nonsense verb, {v} its third person. Each entry
is a pair: of the relation, and of its inverse.
"""

from collections.abc import Mapping

from icl_gen.text.forms.split import Split

# Forms of a relation, and of its inverse.
_Pair = tuple[tuple[str, ...], tuple[str, ...]]

# The plain form of each relation. It ends in its object (of an inverse: in the
# subject), so that questions can ask for it.
PLAIN = Split(
  seen={
    'is a': ('{A} are a type of {B}', '{B} include {A}'),
    'has': ('{A} have {B}', '{B} are found on {A}'),
    'is': ('{A} are {B}', 'things that are {B} include {A}'),
    'verb': ('{A} {V} {B}', '{B} are {V} by {A}'),
  },
  development={
    'is a': ('we call {A} a kind of {B}', 'the group of {B} has the {A}'),
    'has': ('on {A} there are {B}', 'there are {B} on {A}'),
    'is': (
      'the name for {A} is {B}',
      'people who look for {B} things meet {A}',
    ),
    'verb': ('in this world {A} {V} {B}', 'in this world {B} are {V} by {A}'),
  },
  test={
    'is a': ('the {A} are one kind of {B}', 'the name {B} is used for {A}'),
    'has': ('the body of {A} has {B}', 'look for {B} on {A}'),
    'is': ('the {A} are said to be {B}', 'for {B} things look at {A}'),
    'verb': (
      'the {A} are known to {V} {B}',
      'the {B} are known to be {V} by {A}',
    ),
  },
)
# Other forms of the same. Pretraining has none of them.
STYLES: Split[Mapping[str, _Pair]] = Split(
  seen={
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
  },
  development={
    'is a': (
      ('we call a {a} a kind of {b}', 'we count {A} as {B}'),
      ('the group of {B} has a {a} in it', 'with the {B} we count the {A}'),
    ),
    'has': (
      ('on a {a} there are {B}', 'we see {B} if we see {A}'),
      ('there are {B} on every {a}', 'the {B} we see are on {A}'),
    ),
    'is': (
      ('the name for a {a} is {B}', 'we think of {A} as {B}'),
      ('people who look for a {B} thing meet a {a}', '{B} is what {A} are'),
    ),
    'verb': (
      ('in this world a {a} {v} {B}', 'we see how {A} {V} {B}'),
      (
        'in this world a {b} is {V} by the {a}',
        'we see {B} that are {V} by {A}',
      ),
    ),
  },
  test={
    'is a': (
      ('the {a} is one kind of {b}', 'to be a {a} is to be a {b}'),
      ('the name {b} is used for the {a}', 'one kind of {b} is a {a}'),
    ),
    'has': (
      ('the body of a {a} has {B}', 'look at a {a} and you find {B}'),
      ('look for {B} on a {a}', 'the {B} belong to the {a}'),
    ),
    'is': (
      ('the {a} is said to be {B}', 'to be a {a} is to be {B}'),
      ('for a {B} thing look at a {a}', 'to be {B} is to be like {A}'),
    ),
    'verb': (
      ('the {a} is known to {V} {B}', 'to be a {a} is to {V} {B}'),
      (
        'the {b} is known to be {V} by the {a}',
        'to be a {b} is to be {V} by {A}',
      ),
    ),
  },
)
# The same again, for questions only: no document has these words. Like the
# plain ones, they end where the question's answer stands.
REWORDED = Split(
  seen={
    'is a': (
      'when people see {A}, they see {B}',
      'when people look for {B}, they may find {A}',
    ),
    'has': ('everywhere {A} go with their {B}', 'those who own {B} are {A}'),
    'is': ('{A} seem rather {B}', 'what seems {B} may be {A}'),
    'verb': (
      'it is in the nature of {A} to {V} {B}',
      'it happens that {B} get {V} by {A}',
    ),
  },
  development={
    'is a': ('{A} count among the {B}', 'among the {B} count the {A}'),
    'has': ('{A} never lack {B}', 'one sees {B} on {A}'),
    'is': ('one would describe {A} as {B}', 'the word {B} describes {A}'),
    'verb': ('by habit {A} {V} {B}', 'by habit {B} get {V} by {A}'),
  },
  test={
    'is a': ('{A} fall under the heading {B}', 'the heading {B} covers {A}'),
    'has': ('{A} are equipped with {B}', '{B} are part of {A}'),
    'is': ('a good word for {A} is {B}', 'the word {B} fits {A}'),
    'verb': (
      'time and again {A} {V} {B}',
      'time and again {B} are {V} by {A}',
    ),
  },
)
# The questions that a statement answers.
QUESTIONS = Split(
  seen={
    'is a': ('What are {A} a type of?', 'What do {B} include?'),
    'has': ('What do {A} have?', 'What are {B} found on?'),
    'is': ('What are {A} like?', 'What is it that is {B}?'),
    'verb': ('What do {A} {V}?', 'What are {B} {V} by?'),
  },
  development={
    'is a': ('What kind do we call {A}?', 'What has the group of {B}?'),
    'has': ('What is there on {A}?', 'Where are there {B}?'),
    'is': ('What is the name for {A}?', 'What {B} things do people meet?'),
    'verb': (
      'What is it that {A} {V} in this world?',
      'By what are {B} {V} in this world?',
    ),
  },
  test={
    'is a': (
      'Tell me, of what kind are {A}?',
      'Tell me, what is the name {B} used for?',
    ),
    'has': ('Tell me, what has the body of {A}?', 'Tell me, where are {B}?'),
    'is': ('Tell me, how are {A}?', 'Tell me, what is {B}?'),
    'verb': (
      'Tell me, what are {A} known to {V}?',
      'Tell me, what are {B} {V} by?',
    ),
  },
)
# The opening of a text about a category, by the style of the text.
HEADINGS = Split(
  seen={
    'list': 'What is known of {A}:',
    'definition': 'The meaning of {a}:',
    'dialogue': 'Tell me about {A}.',
  },
  development={
    'list': 'Notes on {A}:',
    'definition': 'On the word {a}:',
    'dialogue': 'Let us talk about {A}.',
  },
  test={
    'list': 'Here is what I know about {A}:',
    'definition': 'To explain {a}:',
    'dialogue': 'I have a question about {A}.',
  },
)
SPEAKERS = ('Q', 'A')  # of a dialogue
