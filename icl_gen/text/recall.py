"""What makes a model recall documents about a question, before it answers.

A cue is the beginning of a text: what the question says before the first thing
that it names, and then one of the things that it or its choices name. The model
is given a cue alone, as a document begins; what it writes is a recalled
document, true or not. Recalled documents are the question's context.

  question: According to the guide, crerb are | more colorful than strorg. | ...
  cues:     According to the guide, crerb
            According to the guide, strorg
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence

from icl_gen.text import context as contexts
from icl_gen.text.context import Context
from icl_gen.types import Document, Question

Cues = Callable[[Question], tuple[str, ...]]


def cues(documents: Sequence[Document]) -> Cues:
  """Makes the function that finds a question's cues, each once.

  It does not know which choice is right, nor the question's premises.

  Args:
    documents: the training documents; what their facts are about is named.

  Raises:
    ValueError: no document states a fact. The function raises it for a question
      that names nothing that a document states a fact about.
  """
  facts = [fact for document in documents for fact in document.facts]
  names = {name for fact in facts for name in (fact.subject, fact.object)}
  if not names:
    raise ValueError(
      'nothing can be recalled about documents that state no known facts; give'
      ' another --config.context.kind'
    )
  # The longest first: a name may begin with another one.
  longest = sorted(names, key=lambda name: (-len(name), name))
  named = re.compile(
    rf'(?<!\w)(?:{"|".join(map(re.escape, longest))})(?!\w)', re.IGNORECASE
  )

  def of_question(question: Question) -> tuple[str, ...]:
    first = named.search(question.prompt)
    opening = question.prompt[: first.start()] if first else ''
    texts = (question.prompt, *question.choices)
    found = [name for text in texts for name in named.findall(text)]
    if not found:
      raise ValueError(
        f'question {question.id!r} names nothing that a document states a fact'
        ' about, so nothing can be recalled; give another'
        ' --config.context.kind'
      )
    return tuple(dict.fromkeys(opening + name for name in found))

  return of_question


def context(
  recalled: Mapping[str, Sequence[Document]],
  of: Sequence[str],
  *,
  seed: str,
  chat: bool = False,
) -> Context:
  """The context of a question: all that was recalled from its cues.

  Args:
    recalled: cue -> documents.
    of: the cues of the question.
    seed: name of the draw of the order; questions with the same cues share one
      context.
    chat: whether the context opens a chat.
  """
  texts: dict[str, Document] = {}
  for cue in sorted(of):
    for document in recalled[cue]:
      texts.setdefault(document.text, document)
  if not texts:
    return contexts.NONE_IN_CHAT if chat else contexts.NONE
  found = list(texts.values())
  random.Random(f'{seed}/{"/".join(sorted(of))}').shuffle(found)
  return contexts.in_order(found, documents=len(found), chat=chat)
