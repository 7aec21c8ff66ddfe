"""Plans which documents the model is prompted with, how, and how often.

Takes documents only, never questions.
"""

import dataclasses
import hashlib
import random
from collections.abc import Callable, Sequence

from icl_gen.text import prompts, retrieval
from icl_gen.text.context import Context
from icl_gen.types import Document

# Kind of augmentation -> its prompt. A local prompt stands alone, a global one
# follows a context of all documents.
PROMPTS = {'local': prompts.local, 'global': prompts.global_}


@dataclasses.dataclass(frozen=True)
class Request:
  """A completion to sample.

  Attributes:
    name: '<kind>/<document id>/<sample>'; the random key is derived from it.
    kind: 'local' or 'global'.
    parent: id of the document that the prompt is about.
    prompt: text of the prompt.
    wording: its name in `prompts.WORDINGS`.
  """

  name: str
  kind: str
  parent: str
  prompt: str
  wording: str = prompts.USUAL


def choose(
  documents: Sequence[Document], *, per_fact: int, seed: str
) -> tuple[Document, ...]:
  """Draws `per_fact` of the documents that state the same facts, or all.

  Args:
    documents: the documents of the corpus.
    per_fact: maximum number of documents with the same facts, 1 or more.
    seed: name of the random draw.

  Returns:
    the drawn documents, in their original order.

  Raises:
    ValueError: there are no documents, or `per_fact` is below 1.
  """
  if not documents:
    raise ValueError('no documents to augment; build a corpus first')
  if per_fact < 1:
    raise ValueError(f'{per_fact} documents per fact; it must be 1 or more')
  chosen: set[str] = set()
  for group in retrieval.by_facts(documents):
    rng = random.Random(f'{seed}/{group[0].id}')
    chosen |= {d.id for d in rng.sample(group, min(per_fact, len(group)))}
  return tuple(d for d in documents if d.id in chosen)


def requests(
  documents: Sequence[Document],
  *,
  kind: str,
  samples: int,
  wording: str = prompts.USUAL,
) -> tuple[Request, ...]:
  """Makes `samples` requests of one kind for each document.

  Raises:
    ValueError: the kind or the wording is unknown.
  """
  if kind not in PROMPTS:
    raise ValueError(
      f'augmentation kind {kind!r}; known are {", ".join(PROMPTS)}'
    )
  if wording not in prompts.WORDINGS:
    raise ValueError(
      f'prompt {wording!r}; known are {", ".join(prompts.WORDINGS)}'
    )
  return tuple(
    Request(
      name=f'{kind}/{document.id}/{sample}',
      kind=kind,
      parent=document.id,
      prompt=PROMPTS[kind](document.text, wording=wording),
      wording=wording,
    )
    for document in documents
    for sample in range(samples)
  )


def longest(
  documents: Sequence[Document],
  context: Context,
  count_tokens: Callable[[str], int],
  *,
  wording: str = prompts.USUAL,
) -> int:
  """Returns the number of tokens of the longest prompt of any kind.

  That includes BOS and, for global prompts, the context.

  Args:
    documents: the documents that are prompted with.
    context: the context of the global prompts.
    count_tokens: returns the length of a text in tokens.
    wording: of the prompts; a name in `prompts.WORDINGS`.
  """
  tokens = {
    kind: max(
      count_tokens(prompt(document.text, wording=wording))
      for document in documents
    )
    for kind, prompt in PROMPTS.items()
  }
  return 1 + max(tokens['local'], count_tokens(context.text) + tokens['global'])


def prompt_hash(kind: str, *, wording: str = prompts.USUAL) -> str:
  """Returns twelve hex digits that identify the wording of a prompt."""
  text = PROMPTS[kind]('{document}', wording=wording)
  return hashlib.sha256(text.encode()).hexdigest()[:12]
