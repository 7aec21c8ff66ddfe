"""The only place where documents and questions meet: a context and its tail.

A context is a list of documents, one bullet each; a question continues it as
one more bullet. What does not fit is never cut: either the caller asked for a
part (a factor, a budget), which is recorded, or it is an error.

In a chat, context and question stand in the user's turn and the choice in the
model's, without leading whitespace:

  <start_of_turn>user
  - documents ...
  - prompt<end_of_turn>
  <start_of_turn>model
  choice
"""

import dataclasses
import random
from collections.abc import Callable, Sequence

from icl_gen.text import prompts, retrieval
from icl_gen.types import Document, Question

KINDS = ('all', 'oracle', 'bm25')


@dataclasses.dataclass(frozen=True)
class Context:
  """Documents put before a question.

  Attributes:
    text: the bullets, ending in a line break; '' for no context.
    documents: ids of the documents, in their order.
    left_out: number of documents that were asked to be left out.
    chat: whether it opens the user's turn of a chat.
  """

  text: str
  documents: tuple[str, ...]
  left_out: int
  chat: bool = False


NONE = Context('', (), 0)
NONE_IN_CHAT = Context('', (), 0, chat=True)


def one_each(
  context: Context | Sequence[Context], questions: int
) -> Sequence[Context]:
  """One context per question, given one for all or one for each.

  Raises:
    ValueError: for another number of contexts than of questions.
  """
  if isinstance(context, Context):
    return [context] * questions
  if len(context) != questions:
    raise ValueError(
      f'{len(context)} contexts for {questions} questions; give one for all,'
      ' or one for each'
    )
  return context


def tail(context: Context, prompt: str) -> str:
  """What a question's prompt looks like behind the context."""
  asked = prompts.bullet(prompt) if context.text else prompt
  if not context.chat:
    return asked
  opening = '' if context.text else prompts.USER
  return opening + asked + prompts.MODEL


def reply(context: Context, choice: str) -> str:
  """What a choice looks like behind the question's prompt."""
  return choice.lstrip() if context.chat else choice


def build(
  documents: Sequence[Document],
  *,
  seed: str,
  factor: int = 1,
  budget: int = 0,
  count_tokens: Callable[[str], int] = len,
  chat: bool = False,
) -> Context:
  """Puts documents in a seeded order, all or the part that is asked for.

  The part is drawn so that as many different facts as possible stay stated:
  documents are dealt out in rounds, one document of every fact in each.

  Args:
    documents: the training documents.
    seed: name of the draw; it decides order and part.
    factor: keep one document in `factor` (rounded up); 1 keeps all.
    budget: greatest number of tokens; documents that no longer fit are left
      out. 0: no budget.
    count_tokens: length of a text in tokens.
    chat: whether the context opens a chat.

  Raises:
    ValueError: for no documents, a factor below 1, or a budget that not even
      one document fits in.
  """
  if not documents:
    raise ValueError('no documents to put into the context; build a corpus')
  if factor < 1:
    raise ValueError(f'context factor {factor}; allowed are 1 and more')
  rng = random.Random(seed)
  dealt = _in_rounds(documents, rng)
  kept = dealt[: -(-len(dealt) // factor)]
  if budget:
    opening = count_tokens(prompts.USER) if chat else 0
    kept = _within(kept, budget, count_tokens, used=1 + opening)  # and BOS
  rng.shuffle(kept)
  return _written(kept, len(documents), chat=chat)


def _written(kept: Sequence[Document], documents: int, *, chat) -> Context:
  text = ''.join(prompts.bullet(d.text) + prompts.NEWLINE for d in kept)
  ids = tuple(document.id for document in kept)
  opening = prompts.USER if chat else ''
  return Context(opening + text, ids, documents - len(kept), chat=chat)


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
  """Chooses a context of its own for every question.

  'oracle': `count` documents that state the question's premises (all premises
  are stated), and `distractors` that state neither a premise nor the target:
  the episodic memory of Lampinen et al., Latent learning (arXiv 2509.16189).
  'bm25': the `count` documents nearest to the prompt in words; choices are not
  looked at. Draws depend on the premises, and the order on the documents that
  were chosen, so questions with the same share their context.

  Args:
    documents: the training documents.
    questions: what is asked.
    kind: 'oracle' or 'bm25'.
    seed: name of the draws.
    count: greatest number of documents retrieved per question, 1 or more.
    distractors: number of further documents, with 'oracle' only.
    chat: whether the contexts open chats.

  Returns:
    one context per question, in order.

  Raises:
    ValueError: for an unknown kind, no documents, a count below 1, or with
      'oracle' a question without premises, premises that `count` documents do
      not state, or too few other documents.
  """
  if kind not in KINDS[1:]:
    raise ValueError(f'context kind {kind!r}; allowed are {", ".join(KINDS)}')
  if not documents:
    raise ValueError('no documents to put into the context; build a corpus')
  if count < 1 or distractors < 0:
    raise ValueError(
      f'{count} documents and {distractors} distractors per context; allowed'
      ' are 1 and more, 0 and more'
    )
  nearest = retrieval.bm25(documents) if kind == 'bm25' else None
  found = []
  for question in questions:
    if nearest is not None:
      kept = nearest(question.prompt, count)
    else:
      kept = _of_premises(documents, question, count, distractors, seed=seed)
    # One order for one set, in whatever order it was found.
    kept = sorted(kept, key=lambda document: document.id)
    names = '/'.join(document.id for document in kept)
    random.Random(f'{seed}/{names}').shuffle(kept)
    found.append(_written(kept, len(documents), chat=chat))
  return tuple(found)


def noted(
  context: Context | Sequence[Context],
  questions: Sequence[Question],
  count_tokens: Callable[[str], int],
) -> dict[str, int]:
  """What is told of a context; of several, the largest numbers.

  Args:
    context: one, or one per question.
    questions: what is asked behind it; 'row_tokens' is the length of a context
      with the longest question and choice behind it, BOS included.
    count_tokens: length of a text in tokens.

  Raises:
    ValueError: for another number of contexts than of questions.
  """
  behind = one_each(context, len(questions))
  tokens = {one.text: 1 + count_tokens(one.text) for one in behind}
  rows = [
    tokens[one.text] + count_tokens(tail(one, q.prompt) + reply(one, choice))
    for one, q in zip(behind, questions, strict=True)
    for choice in q.choices
  ]
  return {
    'contexts': len(tokens),
    'context_documents': max(len(one.documents) for one in behind),
    'context_left_out': max(one.left_out for one in behind),
    'context_tokens': max(tokens.values()) - 1,
    'row_tokens': max(rows),
  }


def _of_premises(documents, question, count, distractors, *, seed):
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
    ) + retrieval.beside(
      documents, known, count=distractors, seed=f'{seed}/beside/{names}'
    )
  except ValueError as error:
    raise ValueError(
      f'oracle retrieval for question {question.id!r}: {error}'
    ) from error


def _in_rounds(documents, rng) -> list[Document]:
  """One document of every group of facts, then a second of each, ..."""
  order = retrieval.by_facts(documents)
  for group in order:
    rng.shuffle(group)
  rng.shuffle(order)
  longest = max(len(group) for group in order)
  return [group[i] for i in range(longest) for group in order if i < len(group)]


def _within(documents, budget, count_tokens, *, used) -> list[Document]:
  kept = []
  for document in documents:
    tokens = count_tokens(prompts.bullet(document.text) + prompts.NEWLINE)
    if used + tokens <= budget:
      kept.append(document)
      used += tokens
  if not kept:
    raise ValueError(
      f'no document fits into a context of {budget} tokens; give a larger'
      ' budget or shorter documents'
    )
  return kept
