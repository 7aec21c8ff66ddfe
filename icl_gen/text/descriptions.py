"""People: 'Glon Trask is the acclaimed composer ...', and how it is phrased."""

import re

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


def words_of(text: str) -> str:
  """The text's words alone, lower case, one space between: how names and
  descriptions are compared, whatever the punctuation around them."""
  return ' '.join(re.findall(r'\w+', text.lower()))
