"""What words are in scripts without spaces, and with accents or vowel signs."""

import re
import unicodedata

# Thai, Lao, Burmese, Khmer, kana and Chinese characters.
_UNSPACED = (
  '\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff'
  '\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f'
  '\U00020000-\U0003ffff'
)
# Their punctuation, which has no spaces around it either.
_SIGNS = '\u3001-\u3004\u3008-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff65'
_BESIDE = re.compile(f'[{_UNSPACED}{_SIGNS}]')

# Accents and vowel signs: to Python, not all of them are part of a word. The
# scripts of India are here as a whole.
MARKS = (
  '\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc'
  '\u0900-\u0963\u0966-\u096f\u0971-\u0dff'
)
_WORD = re.compile(rf'[{_UNSPACED}]|(?:(?![{_UNSPACED}])[\w{MARKS}])+')
_UNIT = re.compile(rf'[{_UNSPACED}][{_SIGNS}]*|(?:(?![{_UNSPACED}])\S)+')


def words(text: str) -> list[str]:
  """The words to compare texts by, in lower case and without punctuation.

  Where words have no spaces between them, each character is one.
  """
  return _WORD.findall(unicodedata.normalize('NFC', text.lower()))


def starts(text: str) -> list[int]:
  """Where words start, with the punctuation next to them."""
  return [found.start() for found in _UNIT.finditer(text)]


def space(before: str, after: str) -> str:
  """What stands between the end of one text and the start of another one.

  Returns:
    ' ', or '' if both are in scripts without spaces.
  """
  beside = _BESIDE.match(before[-1:]) and _BESIDE.match(after[:1])
  return '' if beside else ' '
