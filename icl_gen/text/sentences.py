"""Splits text into sentences, so that a family only has to read one.

Skips what surrounds statements of every family: list markers, preambles and
'The relationships between ... are:'.
"""

import itertools
import re
from collections.abc import Callable

from icl_gen.text.forms.statements import PREAMBLES, RELATIONSHIPS
from icl_gen.types import Fact

# Text -> the facts it asserts, in order; None if any part cannot be read.
Reader = Callable[[str], tuple[Fact, ...] | None]

# Generated text may list its sentences: '- ', '* ', '1. ', '2) '.
_LIST_MARKER = re.compile(r'^(?:[-*•–]+|\(?\d+[.)])\s+')
_SENTENCE_END = re.compile(r'(?<=[.!?])\s+')
_PREAMBLE = re.compile(
  rf'^(?:{"|".join(map(re.escape, itertools.chain(*PREAMBLES)))})\s+',
  re.IGNORECASE,
)
_RELATIONSHIPS = re.compile(
  rf'^(?:{"|".join(lead.format(terms="[\\w, ]+") for lead in RELATIONSHIPS)})'
  r'\s*',
  re.IGNORECASE,
)
_QUESTION = re.compile(r'\?[.!?]*$')
# The only question that asserts something.
_DID_YOU_KNOW = re.compile(r'did you know', re.IGNORECASE)


def reader(read_sentence: Callable[[str], Fact | None]) -> Reader:
  """Makes the reader of a text out of the reader of one sentence.

  Args:
    read_sentence: returns the fact that a sentence states, or None. It gets
      sentences without list marker, preamble or
      'The relationships between ... are:'.

  Returns:
    a function from a text to the facts of its sentences, in order. It returns
    None if the text has no sentence, has one that cannot be read, or asks a
    question other than 'Did you know that ...?'.
  """

  def read(text: str) -> tuple[Fact, ...] | None:
    sentences = _SENTENCE_END.split(without_list_marker(text))
    if any(
      _QUESTION.search(s) and not _DID_YOU_KNOW.match(s) for s in sentences
    ):
      return None
    facts = []
    for sentence in sentences:
      statement = _PREAMBLE.sub('', _RELATIONSHIPS.sub('', sentence))
      if not statement:
        continue
      fact = read_sentence(statement)
      if fact is None:
        return None
      facts.append(fact)
    return tuple(facts) or None

  return read


def without_list_marker(text: str) -> str:
  """Removes surrounding space and a leading '- ', '* ', '1. ' or '2) '."""
  return _LIST_MARKER.sub('', text.strip())


def words_of(text: str) -> str:
  """Returns the words in lower case, one space apart, without punctuation."""
  return ' '.join(re.findall(r'\w+', text.lower()))
