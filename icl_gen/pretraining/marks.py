"""Marks in the texts of episodes, which become loss weights.

'~' before a word marks it as unpredictable (the word that opens a new
statement): such words, and the documents themselves, get a small loss weight.
'^' marks the one word that a reversal has to turn around, '!' the first word of
a name that has to be looked up by its description.
"""

UNPREDICTABLE = '~'
DECISIVE = '^'
LOOKED_UP = '!'
_REMOVED = str.maketrans('', '', UNPREDICTABLE + DECISIVE + LOOKED_UP)


def removed(text: str) -> str:
  """The text without marks."""
  return text.translate(_REMOVED)


def every_word(text: str) -> str:
  """Marks every word as unpredictable."""
  return ' '.join(f'{UNPREDICTABLE}{word}' for word in text.split(' '))


def capital(text: str) -> str:
  """Upper-cases the first letter, behind a mark if there is one."""
  at = 1 if text[0] == UNPREDICTABLE else 0
  return text[:at] + text[at].upper() + text[at + 1 :]
