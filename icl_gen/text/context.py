"""Puts documents before a question; only here do documents and questions meet.

A context is a list of documents, one bullet each, and the question continues it
as one more bullet. Documents are left out only if the caller asks for a part (a
factor, a budget), and the context records how many; nothing is ever truncated.

In a chat, context and question are in the user's turn and the choice is in the
model's, without leading whitespace:

  <start_of_turn>user
  - documents ...
  - prompt<end_of_turn>
  <start_of_turn>model
  choice

The markers of turns are `prompts.Mark`s, not text: the same words in a document
or a question are spelled out in ordinary tokens.
"""

import dataclasses
import random
from collections.abc import Callable, Sequence

from icl_gen.text import prompts, retrieval
from icl_gen.text.prompts import Text
from icl_gen.types import Document, Question

# Of one context for each question.
RETRIEVED = ('oracle', 'bm25')


@dataclasses.dataclass(frozen=True)
class Context:
  """The documents before a question.

  Attributes:
    text: the bullets, ending in a line break; '' for no context.
    documents: ids of the documents, in the order of the text.
    left_out: number of documents that a factor, a budget or the retrieval left
      out.
    chat: whether the text is in the user's turn of a chat.
  """

  text: str
  documents: tuple[str, ...]
  left_out: int
  chat: bool = False

  @property
  def before(self) -> Text:
    """What a model reads before the question; '' for no context."""
    if self.chat and self.text:
      return prompts.join(prompts.USER, self.text)
    return self.text


NONE = Context('', (), 0)
NONE_IN_CHAT = Context('', (), 0, chat=True)


def per_question(
  context: Context | Sequence[Context], questions: int
) -> Sequence[Context]:
  """Returns one context for each of a number of questions.

  Args:
    context: one for all questions, or a sequence with one for each.
    questions: number of questions.

  Raises:
    ValueError: the number of contexts differs from that of the questions.
  """
  if isinstance(context, Context):
    return [context] * questions
  if len(context) != questions:
    raise ValueError(
      f'{len(context)} contexts for {questions} questions; give one for all'
      ' questions or one for each'
    )
  return context


def asked(context: Context, prompt: str) -> str:
  """Returns a question's prompt as it follows the context, without turns."""
  return prompts.bullet(prompt) if context.text else prompt


def tail(context: Context, prompt: str) -> Text:
  """Returns all that a model reads between the context and the choice."""
  text = asked(context, prompt)
  if not context.chat:
    return text
  opening = '' if context.text else prompts.USER
  return prompts.join(opening, text, prompts.MODEL)


def reply(context: Context, choice: str) -> str:
  """Returns a choice as it follows the context and the prompt."""
  return choice.lstrip() if context.chat else choice


def build(
  documents: Sequence[Document],
  *,
  seed: str,
  factor: int = 1,
  budget: int = 0,
  count_tokens: Callable[[Text], int] = prompts.length,
  chat: bool = False,
) -> Context:
  """Makes one context of all documents, or of a part, in random order.

  A part keeps as many different facts as possible: documents are taken in
  rounds, one document per fact in each round.

  Args:
    documents: the training documents.
    seed: name of the random draw, which decides the part and its order.
    factor: keep one document in `factor`, rounded up; 1 keeps all.
    budget: maximum number of tokens, BOS included; documents that no longer fit
      are left out. 0 means no budget.
    count_tokens: returns the length of a text in tokens.
    chat: whether the context opens a chat.

  Raises:
    ValueError: there are no documents, the factor is below 1, or no document
      fits into the budget.
  """
  if not documents:
    raise ValueError('no documents to put into the context; build a corpus')
  if factor < 1:
    raise ValueError(f'context factor {factor}; it must be 1 or more')
  rng = random.Random(seed)
  dealt = _in_rounds(documents, rng)
  kept = dealt[: -(-len(dealt) // factor)]
  if budget:
    opening = count_tokens(prompts.USER) if chat else 0
    kept = _within(kept, budget, count_tokens, used=1 + opening)  # 1 for BOS
  rng.shuffle(kept)
  return in_order(kept, len(documents), chat=chat)


def in_order(
  kept: Sequence[Document], documents: int, *, chat: bool
) -> Context:
  """Makes the context of the kept ones of a number of documents."""
  text = ''.join(prompts.bullet(d.text) + prompts.NEWLINE for d in kept)
  ids = tuple(document.id for document in kept)
  return Context(text, ids, documents - len(kept), chat=chat)


def retrieve(
  documents: Sequence[Document],
  questions: Sequence[Question],
  *,
  kind: str,
  seed: str,
  count: int,
  distractors: int = 0,
  chat: bool = False,
) -> tuple[Context, ...]:
  """Retrieves a context for each question.

  'oracle' takes `count` documents that together state all of the question's
  premises, and `distractors` that state neither a premise nor the target, like
  the episodic memory of Lampinen et al., Latent learning (arXiv 2509.16189).
  'bm25' takes the `count` documents that match the prompt best; it ignores the
  choices. Random draws depend only on the premises, and the order only on the
  documents, so that questions with the same premises share one context.

  Args:
    documents: the training documents.
    questions: the questions to retrieve for.
    kind: 'oracle' or 'bm25'.
    seed: name of the random draws.
    count: maximum number of retrieved documents per question, 1 or more.
    distractors: number of further documents; for 'oracle' only.
    chat: whether the contexts open chats.

  Returns:
    one context per question, in the order of the questions.

  Raises:
    ValueError: the kind is unknown, there are no documents, or `count` is below
      1; for 'oracle' also if a question has no premises, `count` documents
      cannot state all of them, or there are too few distractors.
  """
  if kind not in RETRIEVED:
    raise ValueError(
      f'context kind {kind!r}; allowed are {", ".join(RETRIEVED)}'
    )
  if not documents:
    raise ValueError('no documents to put into the context; build a corpus')
  if count < 1 or distractors < 0:
    raise ValueError(
      f'{count} documents and {distractors} distractors per context; give 1 or'
      ' more documents and 0 or more distractors'
    )
  nearest = retrieval.bm25(documents) if kind == 'bm25' else None
  found = []
  for question in questions:
    if nearest is not None:
      kept = nearest(question.prompt, count)
    else:
      kept = _of_premises(documents, question, count, distractors, seed=seed)
    # The same documents come in the same order, whichever was found first.
    kept = sorted(kept, key=lambda document: document.id)
    names = '/'.join(document.id for document in kept)
    random.Random(f'{seed}/{names}').shuffle(kept)
    found.append(in_order(kept, len(documents), chat=chat))
  return tuple(found)


def summary(
  context: Context | Sequence[Context],
  questions: Sequence[Question],
  count_tokens: Callable[[Text], int],
) -> dict[str, int]:
  """Summarises one or more contexts in numbers, for the record of a run.

  Args:
    context: one for all questions, or a sequence with one for each.
    questions: the questions that follow the contexts.
    count_tokens: returns the length of a text in tokens.

  Returns:
    'contexts', the number of different contexts, and maxima over them:
    'context_documents', 'context_left_out', 'context_tokens' (without BOS) and
    'row_tokens', the length of a context with its longest question and choice,
    BOS included.

  Raises:
    ValueError: the number of contexts differs from that of the questions.
  """
  contexts = per_question(context, len(questions))
  # A long context takes many milliseconds, and questions share it.
  texts = dict.fromkeys(one.before for one in contexts)
  tokens = {text: 1 + count_tokens(text) for text in texts}
  rows = [
    tokens[one.before]
    + count_tokens(prompts.join(tail(one, q.prompt), reply(one, choice)))
    for one, q in zip(contexts, questions, strict=True)
    for choice in q.choices
  ]
  return {
    'contexts': len(tokens),
    'context_documents': max(len(one.documents) for one in contexts),
    'context_left_out': max(one.left_out for one in contexts),
    'context_tokens': max(tokens.values()) - 1,
    'row_tokens': max(rows),
  }


def _of_premises(
  documents: Sequence[Document],
  question: Question,
  count: int,
  distractors: int,
  *,
  seed: str,
) -> list[Document]:
  """Draws documents that state the premises, and distractors."""
  names = '/'.join(
    f'{fact.subject} {fact.relation} {fact.object}'
    for fact in sorted(question.premises)
  )
  known = question.premises + ((question.target,) if question.target else ())
  try:
    return retrieval.stating(
      documents,
      question.premises,
      count=count,
      seed=f'{seed}/stating/{names}',
    ) + retrieval.not_stating(
      documents, known, count=distractors, seed=f'{seed}/beside/{names}'
    )
  except ValueError as error:
    raise ValueError(
      f'oracle retrieval for question {question.id!r}: {error}'
    ) from error


def _in_rounds(
  documents: Sequence[Document], rng: random.Random
) -> list[Document]:
  """Orders documents: one of each group of facts, then a second of each, ..."""
  order = retrieval.by_facts(documents)
  for group in order:
    rng.shuffle(group)
  rng.shuffle(order)
  longest = max(len(group) for group in order)
  return [group[i] for i in range(longest) for group in order if i < len(group)]


def _within(
  documents: Sequence[Document],
  budget: int,
  count_tokens: Callable[[Text], int],
  *,
  used: int,
) -> list[Document]:
  """Keeps the documents that fit, in order, into what `used` leaves."""
  kept = []
  for document in documents:
    tokens = count_tokens(prompts.bullet(document.text) + prompts.NEWLINE)
    if used + tokens <= budget:
      kept.append(document)
      used += tokens
  if not kept:
    raise ValueError(
      f'no document fits into a context of {budget} tokens; give a larger'
      ' --config.context.budget, or shorter documents'
    )
  return kept
