"""The only place where documents and questions meet: a context and its tail.

A context is a list of documents, one bullet each; a question continues it as
one more bullet. What does not fit is never cut: either the caller asked for a
part (a factor, a budget), which is recorded, or it is an error.
"""

import dataclasses
import random
from collections.abc import Callable, Sequence

from icl_gen.text import prompts
from icl_gen.types import Document


@dataclasses.dataclass(frozen=True)
class Context:
  """Documents put before a question.

  Attributes:
    text: the bullets, ending in a line break; '' for no context.
    documents: ids of the documents, in their order.
    left_out: number of documents that were asked to be left out.
  """

  text: str
  documents: tuple[str, ...]
  left_out: int


NONE = Context('', (), 0)


def tail(context: Context, prompt: str) -> str:
  """What a question's prompt looks like behind the context."""
  return prompts.bullet(prompt) if context.text else prompt


def build(
  documents: Sequence[Document],
  *,
  seed: str,
  factor: int = 1,
  budget: int = 0,
  count_tokens: Callable[[str], int] = len,
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
    kept = _within(kept, budget, count_tokens)
  rng.shuffle(kept)
  text = ''.join(prompts.bullet(d.text) + prompts.NEWLINE for d in kept)
  ids = tuple(document.id for document in kept)
  return Context(text, ids, len(documents) - len(kept))


def _in_rounds(documents, rng) -> list[Document]:
  """One document of every group of facts, then a second of each, ..."""
  groups: dict[object, list[Document]] = {}
  for document in documents:
    groups.setdefault(document.facts or document.id, []).append(document)
  for group in groups.values():
    rng.shuffle(group)
  order = list(groups.values())
  rng.shuffle(order)
  longest = max(len(group) for group in order)
  return [group[i] for i in range(longest) for group in order if i < len(group)]


def _within(documents, budget, count_tokens) -> list[Document]:
  kept, used = [], 1  # BOS
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
