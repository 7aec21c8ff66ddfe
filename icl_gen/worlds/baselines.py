"""Two baselines that infer nothing: they measure what the wording gives away.

Both see only the documents' text and a question's prompt and choices, as
lower-case words and punctuation. They should be at chance on questions that
need inference, but not on questions that a document answers word for word.
"""

import collections
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from icl_gen.types import Corpus, Question

_WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]")
_BREAK = '\0'  # between documents
_OTHER = '\1'  # any word that no question has
# Stupid backoff's factor for each word by which the context is shortened
# (Brants et al. 2007, "Large language models in machine translation").
_BACKOFF = 0.4

# (prompt, choice) -> score; the greatest is the answer, and equal ones tie.
Merit = Callable[[str, str], float]


class _Text:
  """The documents as one string with one character per word.

  Python's substring search then finds a sequence of words. If the texts that
  will be looked up are given, all words that they do not have share one
  character.
  """

  def __init__(self, texts: Iterable[str], *, asked: Iterable[str] = ()):
    self._letters = {_BREAK: _BREAK}
    self._is_closed = False
    for text in asked:
      self.spell(text)
    self._is_closed = len(self._letters) > 1
    self.letters = _BREAK.join(['', *map(self.spell, texts), ''])

  def spell(self, text: str) -> str:
    """One character per word; an unknown word gets a new character."""
    letters = self._letters
    if self._is_closed:
      return ''.join(letters.get(word, _OTHER) for word in words(text))
    return ''.join(
      letters.setdefault(word, chr(0x100 + len(letters)))
      for word in words(text)
    )


def words(text: str) -> list[str]:
  """The words that the baselines see: in lower case, and punctuation."""
  return _WORD.findall(text.lower())


def ngram(corpus: Corpus, *, order: int = 4) -> dict[str, float]:
  """Accuracy by kind of question of choosing the most probable continuation.

  `order` is the n of the longest n-gram; see `ngram_merit`.
  """
  texts = (document.text for document in corpus.documents)
  return accuracy(corpus.questions, ngram_merit(texts, order=order))


def ngram_merit(
  texts: Iterable[str],
  *,
  order: int,
  asked: Collection[tuple[str, str]] = (),
) -> Merit:
  """Scores a choice by its log-probability after the prompt.

  The model is an n-gram model of the texts with stupid backoff.

  Args:
    texts: what it is a model of.
    order: the n of the longest n-gram.
    asked: all pairs of prompt and choice that will be scored, so that only what
      they need is counted, however long the texts are; (): unknown.
  """
  text = _Text(texts, asked=[part for pair in asked for part in pair])
  letters = text.letters
  # Without any text, all choices of one length are equal.
  total = max(1, len(letters) - letters.count(_BREAK))
  found = (
    letters[i : i + n]
    for n in range(1, order + 1)
    for i in range(len(letters) - n + 1)
  )
  if asked:
    wanted = _parts([''.join(map(text.spell, pair)) for pair in asked], order)
    found = (part for part in found if part in wanted)
  counts = collections.Counter(found)
  del counts[_BREAK]

  def merit(prompt: str, choice: str) -> float:
    context, logp = text.spell(prompt), 0.0
    for letter in text.spell(choice):
      before = context[max(0, len(context) - order + 1) :]
      logp += _log_backoff(counts, total, before, letter)
      context += letter
    return round(logp, 9)  # so that ties are exact

  return merit


def _parts(spelled: Iterable[str], longest: int) -> set[str]:
  """All sequences of up to `longest` words."""
  return {
    one[i : i + n]
    for one in spelled
    for n in range(1, longest + 1)
    for i in range(len(one) - n + 1)
  }


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
    asked[question.kind] += 1
    right[question.kind] += share_right(merits, question)
  return {kind: right[kind] / asked[kind] for kind in asked}


def share_right(merits: Sequence[float], question: Question) -> float:
  """Share of right choices among those with the greatest merit.

  Args:
    merits: one per choice.
    question: has these choices.
  """
  most = max(merits)
  best = [i for i, merit in enumerate(merits) if merit == most]
  return sum(i in question.answers for i in best) / len(best)
