"""What the wording alone gives away: two baselines that infer nothing.

Both see the documents' text and a question's prompt and choices, as words and
punctuation in lower case. On a question that takes inference they should be at
chance; where what is asked is stated word for word, they need not be.
"""

import collections
import math
import re
from collections.abc import Callable, Iterable, Mapping

from icl_gen.types import Corpus, Question

_WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]")
_BREAK = '\0'  # between documents
# What is left of the probability when a context is shortened by a word
# (Brants et al. 2007, "Large language models in machine translation").
_BACKOFF = 0.4

# The better of two choices has the greater one; equal ones tie.
Merit = Callable[[str, str], float]


class _Text:
  """The documents as one string with a character for every word, so that
  Python's own search finds a sequence of words."""

  def __init__(self, texts: Iterable[str]):
    self._letters = {_BREAK: _BREAK}
    self.letters = _BREAK.join(['', *map(self.spell, texts), ''])

  def spell(self, text: str) -> str:
    """A character for every word; a new word gets a new one."""
    letters = self._letters
    return ''.join(
      letters.setdefault(word, chr(0x100 + len(letters)))
      for word in _WORD.findall(text.lower())
    )


def ngram(corpus: Corpus, *, order: int = 4) -> dict[str, float]:
  """Accuracy per kind of the most probable continuation of the prompt.

  `order` is the number of words of the longest n-gram; see `ngram_merit`.
  """
  texts = (document.text for document in corpus.documents)
  return accuracy(corpus.questions, ngram_merit(texts, order=order))


def ngram_merit(texts: Iterable[str], *, order: int) -> Merit:
  """Log-probability of a choice's words, one after the other, behind the
  prompt, by an n-gram model of the texts with stupid backoff."""
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
    return round(logp, 9)  # equals are equal

  return merit


def _log_backoff(
  counts: Mapping[str, int], total: int, context: str, word: str
) -> float:
  shorter = 0
  while context and not counts[context + word]:
    context, shorter = context[1:], shorter + 1
  # A word that was never seen counts as half of one.
  seen = counts[context + word] or 0.5
  return math.log(seen / (counts[context] if context else total)) + (
    shorter * math.log(_BACKOFF)
  )


def longest_match(corpus: Corpus) -> dict[str, float]:
  """Accuracy per kind of the choice that has been read before: after which
  the last words of prompt and choice, as many as can be, stand in a document
  in the same order."""
  text = _Text(document.text for document in corpus.documents)

  def merit(prompt: str, choice: str) -> float:
    whole, length = text.spell(prompt) + text.spell(choice), 0
    while length < len(whole) and whole[-length - 1 :] in text.letters:
      length += 1
    return length

  return accuracy(corpus.questions, merit)


def accuracies(corpus: Corpus) -> dict[str, dict[str, float]]:
  """Accuracy of both baselines, by kind of question; shares of one."""
  found = {'ngram': ngram(corpus), 'longest_match': longest_match(corpus)}
  kinds = dict.fromkeys(question.kind for question in corpus.questions)
  return {
    kind: {name: by_kind[kind] for name, by_kind in found.items()}
    for kind in kinds
  }


def accuracy(questions: Iterable[Question], merit: Merit) -> dict[str, float]:
  """Expected share of questions of each kind that are answered right by the
  best choice, drawn among equals."""
  right, asked = collections.Counter(), collections.Counter()
  for question in questions:
    merits = [merit(question.prompt, choice) for choice in question.choices]
    best = [i for i, m in enumerate(merits) if m == max(merits)]
    hits = sum(i in question.answers for i in best)
    asked[question.kind] += 1
    right[question.kind] += hits / len(best)
  return {kind: right[kind] / asked[kind] for kind in asked}
