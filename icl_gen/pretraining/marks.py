"""Marks before the words of episodes, from which loss weights are derived.

'~' marks a word that cannot be predicted, such as the first of a statement. It
gets a small loss weight, as documents do. '^' marks the word that decides
whether a statement is true, such as the one that a reversal inverts; the words
that would have been true as well may follow it: '^wicks¦flaps.'. '!' marks the
first word of a name that has to be looked up by its description.
"""

import re
from collections.abc import Iterable

UNPREDICTABLE = '~'
DECISIVE = '^'
LOOKED_UP = '!'
_OR = '\N{BROKEN BAR}'
# Not inside of words: expressions have powers.
_MARK = re.compile(rf'(?<!\S)[{UNPREDICTABLE}{LOOKED_UP}{DECISIVE}]')
_OTHERS = re.compile(rf'{_OR}\w+')


def removed(text: str) -> str:
  """Removes all marks from a text, and words that are alternatives."""
  return _MARK.sub('', _OTHERS.sub('', text))


def every_word(text: str) -> str:
  """Marks every word of a text as unpredictable."""
  return ' '.join(f'{UNPREDICTABLE}{word}' for word in text.split(' '))


def deciding(word: str, others: Iterable[str] = ()) -> str:
  """Marks a word as deciding.

  Args:
    word: what is said.
    others: what would have been true in its place.
  """
  rest = [other for other in others if other != word]
  return DECISIVE + _OR.join([word, *rest])


def others(word: str) -> tuple[str, ...]:
  """The alternatives of a marked word; () for a word without any."""
  return tuple(found[1:] for found in _OTHERS.findall(word))


def capital(text: str) -> str:
  """Upper-cases the first letter, which may be preceded by '~'."""
  at = 1 if text[0] == UNPREDICTABLE else 0
  return text[:at] + text[at].upper() + text[at + 1 :]
