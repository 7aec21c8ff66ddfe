"""Comparisons: 'glon are more dangerous than troff', said and read."""

import re

from icl_gen.types import Fact

# 28 comparison features, as in the paper. Always with 'more' or 'less', so
# that a statement and its contradiction differ in exactly one word.
FEATURES = tuple(
  """dangerous bright heavy ancient colorful delicate expensive flexible
  fragrant generous graceful humid intelligent joyful loud mysterious
  nutritious obedient peaceful popular powerful quiet rare stubborn tall
  useful valuable warm""".split()
)


def statement(subject: str, degree: str, feature: str, other: str) -> str:
  """'glon are more dangerous than troff'; degree is 'more' or 'less'."""
  return f'{subject} are {degree} {feature} than {other}'


_COMPARISON = re.compile(
  rf'^(\w+) are (more|less) ({"|".join(FEATURES)}) than (\w+)[.!?]*$',
  re.IGNORECASE,
)


def read(sentence: str) -> Fact | None:
  match = _COMPARISON.match(sentence)
  if match is None:
    return None
  one, degree, feature, other = match.group(0, 1, 2, 3, 4)[1:]
  return Fact(one.lower(), f'{degree.lower()} {feature.lower()}', other.lower())
