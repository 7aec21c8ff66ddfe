"""Questions made from sentences: the first half asks for the second.

For documents without questions. A sentence is one that a document states, or
that a model wrote about it; its user decides whether it is a good question.
"""

import bisect
import collections
import dataclasses
import itertools
import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

from icl_gen.text import markdown, scripts, sentence_ends
from icl_gen.types import Document, Question

KINDS = ('statement', 'rephrase', 'reversal', 'combination')

_FEWEST, _MOST = 6, 40  # words of a sentence
_WRONG = 3  # choices
_NEAREST = 10  # endings, by length, that the wrong ones are drawn from
_AROUND = 50  # endings on each side that are looked at first
# How a paragraph begins, and not a footnote or a row of a table.
_PROSE = re.compile(r'(?!\[\^)[^#|`>=<~•]')
# Marks of footnotes, and space.
_NOTES = re.compile(r'(?:\[\^?\w+\]|\s)+\Z')
# Ends of questions, and of what leads to a list.
_OPEN = ('?', '？', '؟', ':', '：')
# They come in pairs.
_QUOTES = '"“”„«»「」『』'


@dataclasses.dataclass(frozen=True)
class Sentence:
  """What a question can be made from.

  Attributes:
    text: one sentence.
    kind: one of KINDS.
    sources: ids of the documents that it is from, or about.
  """

  text: str
  kind: str
  sources: tuple[str, ...]

  @property
  def halves(self) -> tuple[str, str]:
    """Its first and its last words."""
    text = ' '.join(self.text.split())
    starts = scripts.starts(text)
    middle = starts[len(starts) // 2]
    return text[:middle].rstrip(), text[middle:]


def stated(documents: Iterable[Document]) -> list[Sentence]:
  """The sentences of documents, without headings, tables, lists and code.

  Questions are no statements.
  """
  found = []
  for document in documents:
    for said in markdown.paragraphs(document.text):
      if not _PROSE.match(said):
        continue
      starts = [0, *(start for _, start in sentence_ends.gaps(said)), len(said)]
      found += [
        Sentence(_NOTES.sub('', said[start:end]), 'statement', (document.id,))
        for start, end in itertools.pairwise(starts)
      ]
  return usable(one for one in found if not one.text.endswith(_OPEN))


def inferred(
  generated: Iterable[Document], sources: dict[str, str]
) -> list[Sentence]:
  """The sentences that a model wrote about documents.

  What was prompted with one document is a 'reversal' if it begins with what the
  document ends with, else a 'rephrase'; what was prompted with all is a
  'combination'.

  Args:
    generated: with the documents that they are about as parents.
    sources: id -> text of these.
  """
  found = []
  for document in generated:
    kind = 'combination'
    if document.origin.kind == 'local':
      about = ' '.join(sources[name] for name in document.origin.parents)
      turned = _is_turned(document.text, about)
      kind = 'reversal' if turned else 'rephrase'
    found.append(Sentence(document.text, kind, document.origin.parents))
  return usable(found)


def usable(sentences: Iterable[Sentence]) -> list[Sentence]:
  """Those that are neither short nor long, nor part of a quotation, once."""
  once = {one.text: one for one in reversed(list(sentences))}
  return [
    one
    for one in reversed(list(once.values()))
    if _FEWEST <= len(scripts.starts(one.text)) <= _MOST and _is_whole(one.text)
  ]


def questions(sentences: Sequence[Sentence], *, seed: str) -> list[Question]:
  """Makes a question of each sentence that has wrong choices.

  A sentence whose first half is that of another one is left out. Wrong choices
  are the last halves of other sentences, of about the length of the right one;
  none says the same as the right one, or a part of it, or more. Case and
  punctuation do not tell halves apart: models often write a sentence of the
  documents without its full stop.

  Args:
    sentences: from `stated` and `inferred`.
    seed: name of the random draws.
  """
  endings = _Endings(one.halves[1] for one in sentences)
  begun = collections.Counter(_words(one.halves[0]) for one in sentences)
  found = []
  for place, one in enumerate(sentences):
    prompt, right = one.halves
    rng = random.Random(f'{seed}/{one.text}')
    near = endings.near(right)
    choices = [right, *rng.sample(near, min(_WRONG, len(near)))]
    if len(choices) == 1 or begun[_words(prompt)] > 1:
      continue
    rng.shuffle(choices)
    found.append(
      Question(
        id=f'{one.kind}-{place}',
        prompt=prompt,
        choices=tuple(scripts.space(prompt, end) + end for end in choices),
        answers=(choices.index(right),),
        kind=one.kind,
      )
    )
  return found


class _Endings:
  """The last halves of sentences, by their length."""

  def __init__(self, endings: Iterable[str]):
    by_words = {_words(ending): ending for ending in sorted(endings)}
    self._found = sorted(
      by_words.items(), key=lambda one: (len(one[1]), one[1])
    )
    self._lengths = [len(ending) for _, ending in self._found]

  def near(self, right: str) -> list[str]:
    """Some of about the length of a right one, which say something else."""
    place, said = bisect.bisect(self._lengths, len(right)), _words(right)
    around = self._found[max(0, place - _AROUND) : place + _AROUND]
    others: list[str] = []
    # Where many say the same, one has to look farther.
    for some in (around, self._found):
      others = [end for words, end in some if not _overlap(words, said)]
      if len(others) >= _NEAREST:
        break
    others.sort(key=lambda ending: abs(len(ending) - len(right)))
    return others[:_NEAREST]


def rows(
  sentences: Sequence[Sentence], sources: dict[str, str], *, seed: str
) -> list[dict[str, Any]]:
  """Returns the lines of a questions.jsonl, each with its source.

  Args:
    sentences: as for `questions`.
    sources: id -> text, of the documents that they are about.
    seed: as for `questions`.
  """
  by_place = {f'{s.kind}-{n}': s for n, s in enumerate(sentences)}
  return [
    {
      'id': question.id,
      'prompt': question.prompt,
      'choices': [choice.lstrip() for choice in question.choices],
      'answer': question.answers[0],
      'kind': question.kind,
      'source': {name: sources[name] for name in by_place[question.id].sources},
    }
    for question in questions(sentences, seed=seed)
  ]


def _is_whole(text: str) -> bool:
  """Whether what a sentence opens, a quotation or a bracket, it closes."""
  quotes = sum(map(text.count, _QUOTES))
  return quotes % 2 == 0 and text.count('(') == text.count(')')


def _words(text: str) -> str:
  return ' '.join(scripts.words(text))


def _overlap(one: str, other: str) -> bool:
  """Whether one of two sequences of words is a part of the other."""
  return f' {one} ' in f' {other} ' or f' {other} ' in f' {one} '


def _is_turned(text: str, about: str) -> bool:
  """Whether a text begins with what another one ends with."""
  words = [w for w in re.findall(r'\w+', text.lower()) if len(w) > 3]
  places = [about.lower().find(word) for word in words]
  there = [place for place in places if place >= 0]
  return len(there) > 1 and there[0] > there[-1]
