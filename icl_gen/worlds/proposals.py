"""Questions made from sentences: the first half asks for the second.

For documents without questions. A sentence is one that a document states, or
that a model wrote about it; its user decides whether it is a good question.
"""

import collections
import dataclasses
import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

from icl_gen.text import sentence_ends
from icl_gen.text.sentences import words_of
from icl_gen.types import Document, Question

KINDS = ('statement', 'rephrase', 'reversal', 'combination')

_FEWEST, _MOST = 6, 40  # words of a sentence
_WRONG = 3  # choices
_NEAREST = 10  # endings, by length, that the wrong ones are drawn from
# How a paragraph begins.
_PROSE = re.compile(r'(?![-*+][ \t]|\d+[.)][ \t])[^#|`>=<~]')


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
    words = self.text.split()
    middle = len(words) // 2
    return ' '.join(words[:middle]), ' '.join(words[middle:])


def stated(documents: Iterable[Document]) -> list[Sentence]:
  """The sentences of documents, without headings, tables, lists and code."""
  found = []
  for document in documents:
    text = re.sub(r'(?ms)^(```|~~~).*?(^\1|\Z)', '', document.text)
    for paragraph in re.split(r'\n[ \t]*\n|\n(?=[ \t]*[-*+#|>])', text):
      if not _PROSE.match(paragraph.strip()):
        continue
      said = paragraph.strip()
      ends = [*(start for _, start in sentence_ends.gaps(said)), len(said)]
      for start, end in zip([0, *ends], ends, strict=False):
        found.append(
          Sentence(said[start:end].strip(), 'statement', (document.id,))
        )
  return usable(found)


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
  """Those that are neither short nor long, each once."""
  once = {one.text: one for one in reversed(list(sentences))}
  return [
    one
    for one in reversed(list(once.values()))
    if _FEWEST <= len(one.text.split()) <= _MOST
  ]


def questions(sentences: Sequence[Sentence], *, seed: str) -> list[Question]:
  """Makes a question of each sentence that has wrong choices.

  A sentence whose first half is that of another one is left out. Wrong choices
  are the last halves of other sentences, of about the length of the right one;
  none says the same as the right one, or begins so. Case and punctuation do not
  tell halves apart: models often write a sentence of the documents without its
  full stop.

  Args:
    sentences: from `stated` and `inferred`.
    seed: name of the random draws.
  """
  endings = sorted(one.halves[1] for one in sentences)
  by_words = {words_of(ending): ending for ending in endings}
  begun = collections.Counter(words_of(one.halves[0]) for one in sentences)
  found = []
  for place, one in enumerate(sentences):
    prompt, right = one.halves
    rng = random.Random(f'{seed}/{one.text}')
    said = words_of(right)
    others = [
      ending
      for words, ending in by_words.items()
      if not _begin_alike(words, said)
    ]
    others.sort(key=lambda ending: abs(len(ending) - len(right)))
    near = others[:_NEAREST]
    choices = [right, *rng.sample(near, min(_WRONG, len(near)))]
    if len(choices) == 1 or begun[words_of(prompt)] > 1:
      continue
    rng.shuffle(choices)
    found.append(
      Question(
        id=f'{one.kind}-{place}',
        prompt=prompt,
        choices=tuple(f' {choice}' for choice in choices),
        answers=(choices.index(right),),
        kind=one.kind,
      )
    )
  return found


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


def _begin_alike(one: str, other: str) -> bool:
  """Whether one of two sequences of words is the beginning of the other."""
  return f'{one} '.startswith(f'{other} ') or f'{other} '.startswith(f'{one} ')


def _is_turned(text: str, about: str) -> bool:
  """Whether a text begins with what another one ends with."""
  words = [w for w in re.findall(r'\w+', text.lower()) if len(w) > 3]
  places = [about.lower().find(word) for word in words]
  there = [place for place in places if place >= 0]
  return len(there) > 1 and there[0] > there[-1]
