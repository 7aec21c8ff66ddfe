"""Splits text into sentences and reads each: bullets, preambles, questions."""

import re
from collections.abc import Callable

from icl_gen.text import preambles
from icl_gen.types import Fact

Reader = Callable[[str], tuple[Fact, ...] | None]


# List markers that generated text puts before a sentence: '- ', '* ', '1. ',
# '2) '.
_BULLET = re.compile(r'^(?:[-*•–]+|\(?\d+[.)])\s+')


_SENTENCE_END = re.compile(r'(?<=[.!?])\s+')


_PREAMBLE = re.compile(
  rf'^(?:{"|".join(map(re.escape, preambles.PREAMBLES))})\s+', re.IGNORECASE
)


_RELATIONSHIPS = re.compile(
  r'^The relationships between [\w, ]+ are:\s*', re.IGNORECASE
)


# The only question that asserts something.
_DID_YOU_KNOW = re.compile(r'did you know', re.IGNORECASE)


def reader(statement: Callable[[str], Fact | None]) -> Reader:
  def read(text: str) -> tuple[Fact, ...] | None:
    sentences = _SENTENCE_END.split(without_bullet(text))
    if any(s.endswith('?') and not _DID_YOU_KNOW.match(s) for s in sentences):
      return None
    facts = [statement(bare) for s in sentences if (bare := _bare(s))]
    if not facts or None in facts:
      return None
    return tuple(facts)

  return read


def without_bullet(text: str) -> str:
  return _BULLET.sub('', text.strip())


def _bare(sentence: str) -> str:
  """Without a lead-in and a preamble."""
  return _PREAMBLE.sub('', _RELATIONSHIPS.sub('', sentence))
