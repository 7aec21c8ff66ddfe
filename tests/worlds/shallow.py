"""Ways to answer without understanding: word statistics and lengths."""

import collections
import math
import re


def _words(text):
  return re.findall(r'[A-Za-z]+|\d+|\S', text)


def _accuracy(corpus, score):
  """Kind -> share of questions whose best choice is right; ties are shared."""
  hits = collections.defaultdict(list)
  for question in corpus.questions:
    scores = [score(question.prompt, choice) for choice in question.choices]
    best = [i for i, s in enumerate(scores) if s == max(scores)]
    right = sum(i in question.answers for i in best)
    hits[question.kind].append(right / len(best))
  return {kind: sum(each) / len(each) for kind, each in hits.items()}


def ngram_accuracy(corpus, *, order):
  """Chooses what an interpolated n-gram model of the documents expects."""
  seen, before = collections.Counter(), collections.Counter()
  vocabulary = set()
  for document in corpus.documents:
    words = _words(document.text)
    vocabulary.update(words)
    for end in range(1, len(words) + 1):
      for start in range(max(0, end - order), end):
        seen[tuple(words[start:end])] += 1
        before[tuple(words[start : end - 1])] += 1

  def logp(prompt, choice):
    words, total = _words(prompt), 0.0
    added = _words(choice)
    for word in added:
      share = 1 / (len(vocabulary) + 1)
      for length in range(order):
        context = tuple(words[len(words) - length :])
        if before[context]:
          share = 0.2 * share + 0.8 * seen[(*context, word)] / before[context]
      total += math.log(share)
      words.append(word)
    return total / len(added)

  return _accuracy(corpus, logp)


def longest_match_accuracy(corpus):
  """Chooses what shares the longest run of characters with the documents."""
  text = '\n'.join(document.text for document in corpus.documents)

  def longest(prompt, choice):
    choice, best = choice.strip(), 0
    for start in range(len(choice)):
      while (
        start + best < len(choice) and choice[start : start + best + 1] in text
      ):
        best += 1
    return best

  return _accuracy(corpus, longest)


def length_accuracy(corpus, which):
  """Chooses the longest (max) or the shortest (min) choice."""
  sign = 1 if which is max else -1
  return _accuracy(corpus, lambda prompt, choice: sign * len(choice))
