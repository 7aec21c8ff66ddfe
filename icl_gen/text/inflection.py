"""Inflects nonsense words as if they were regular English words."""


def plural(word: str) -> str:
  """'grud' -> 'gruds'; also the third person of a verb, 'blim' -> 'blims'."""
  return word + ('es' if word.endswith(('s', 'x', 'z', 'ch', 'sh')) else 's')


def singular(noun: str) -> str:
  """'gruds' -> 'grud': the inverse of `plural`.

  That is well defined because no nonsense word ends in 'e'.
  """
  return noun[:-2] if noun == plural(noun[:-2]) else noun[:-1]


def past(verb: str) -> str:
  """'blim' -> 'blimed'; nonsense verbs do not double their last letter."""
  return verb + 'ed'
