"""Two baselines that infer nothing: they measure what the wording gives away.

Both see only the documents' text and a question's prompt and choices, as
lower-case words and punctuation. They should be at chance on questions that
need inference, but not on questions that a document answers word for word.
"""

import collections
import math
import re
from collections.abc import Callable, Iterable, Mapping

from icl_gen.types import Corpus, Question

_WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]")
_BREAK = '\0'  # between documents
# Stupid backoff's factor for each word by which the context is shortened
# (Brants et al. 2007, "Large language models in machine translation").
_BACKOFF = 0.4

# (prompt, choice) -> score; the greatest is the answer, and equal ones tie.
Merit = Callable[[str, str], float]


class _Text:
  """The documents as one string with one character per word.

  Python's substring search then finds a sequence of words.
  """

  def __init__(self, texts: Iterable[str]):
    self._letters = {_BREAK: _BREAK}
    self.letters = _BREAK.join(['', *map(self.spell, texts), ''])

  def spell(self, text: str) -> str:
    """One character per word; an unknown word gets a new character."""
    letters = self._letters
    return ''.join(
      letters.setdefault(word, chr(0x100 + len(letters)))
      for word in _WORD.findall(text.lower())
    )


def ngram(corpus: Corpus, *, order: int = 4) -> dict[str, float]:
  """Accuracy by kind of question of choosing the most probable continuation.

  `order` is the n of the longest n-gram; see `ngram_merit`.
  """
  texts = (document.text for document in corpus.documents)
  return accuracy(corpus.questions, ngram_merit(texts, order=order))


def ngram_merit(texts: Iterable[str], *, order: int) -> Merit:
  """Scores a choice by its log-probability after the prompt.

  The model is an n-gram model of the texts with stupid backoff.
  """
  text = _Text(texts)
  counts = collections.Counter(text.letters)
  del counts[_BREAK]
  total = counts.total()
  for n in range(2, order + 1):
    counts.update(
      text.letters[i : i + n] for i in range(len(text.letters) - n + 1)
    )

  def merit(prompt: str, choice: str) -> float:
    context, logp = text.spell(prompt), 0.0
    for letter in text.spell(choice):
      before = context[max(0, len(context) - order + 1) :]
      logp += _log_backoff(counts, total, before, letter)
      context += letter
    return round(logp, 9)  # so that ties are exact

  return merit


def _log_backoff(
  counts: Mapping[str, int], total: int, context: str, word: str
) -> float:
  shorter = 0
  while context and not counts[context + word]:
    context, shorter = context[1:], shorter + 1
  # An unseen word counts as half an occurrence.
  seen = counts[context + word] or 0.5
  return math.log(seen / (counts[context] if context else total)) + (
    shorter * math.log(_BACKOFF)
  )


def longest_match(corpus: Corpus) -> dict[str, float]:
  """Accuracy by kind of question of choosing the longest match.

  The match of a choice is the longest run of words that ends prompt + choice
  and occurs in a document.
  """
  text = _Text(document.text for document in corpus.documents)

  def merit(prompt: str, choice: str) -> float:
    whole, length = text.spell(prompt) + text.spell(choice), 0
    while length < len(whole) and whole[-length - 1 :] in text.letters:
      length += 1
    return length

  return accuracy(corpus.questions, merit)


def accuracies(corpus: Corpus) -> dict[str, dict[str, float]]:
  """Accuracy of both baselines by kind of question, from 0 to 1."""
  found = {'ngram': ngram(corpus), 'longest_match': longest_match(corpus)}
  kinds = dict.fromkeys(question.kind for question in corpus.questions)
  return {
    kind: {name: by_kind[kind] for name, by_kind in found.items()}
    for kind in kinds
  }


def accuracy(questions: Iterable[Question], merit: Merit) -> dict[str, float]:
  """Accuracy by kind of question of the choice with the greatest merit.

  A tie counts by its share of right choices.
  """
  right: collections.defaultdict[str, float] = collections.defaultdict(float)
  asked: collections.Counter[str] = collections.Counter()
  for question in questions:
    merits = [merit(question.prompt, choice) for choice in question.choices]
    best = [i for i, m in enumerate(merits) if m == max(merits)]
    hits = sum(i in question.answers for i in best)
    asked[question.kind] += 1
    right[question.kind] += hits / len(best)
  return {kind: right[kind] / asked[kind] for kind in asked}
