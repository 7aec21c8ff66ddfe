"""Marks before the words of episodes, from which loss weights are derived.

'~' marks a word that cannot be predicted, such as the first of a statement. It
gets a small loss weight, as documents do. '^' marks the word that a reversal
inverts, '!' the first word of a name that has to be looked up by its
description.
"""

UNPREDICTABLE = '~'
DECISIVE = '^'
LOOKED_UP = '!'
_REMOVED = str.maketrans('', '', UNPREDICTABLE + DECISIVE + LOOKED_UP)


def removed(text: str) -> str:
  """Removes all marks from a text."""
  return text.translate(_REMOVED)


def every_word(text: str) -> str:
  """Marks every word of a text as unpredictable."""
  return ' '.join(f'{UNPREDICTABLE}{word}' for word in text.split(' '))


def capital(text: str) -> str:
  """Upper-cases the first letter, which may be preceded by '~'."""
  at = 1 if text[0] == UNPREDICTABLE else 0
  return text[:at] + text[at].upper() + text[at + 1 :]
