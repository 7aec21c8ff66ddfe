"""What to ask of the model: which documents, by which prompts, how often.

Accepts documents only; questions never come here.
"""

import dataclasses
import hashlib
import random
from collections.abc import Callable, Sequence

from icl_gen.text import prompts, retrieval
from icl_gen.text.context import Context
from icl_gen.types import Document

# Kind -> prompt. 'local' sees one document; 'global' follows a context of all
# documents.
PROMPTS = {'local': prompts.local, 'global': prompts.global_}


@dataclasses.dataclass(frozen=True)
class Request:
  """One completion that is wanted.

  Attributes:
    name: '<kind>/<document id>/<sample>'; its random key is derived from it.
    kind: 'local' or 'global'.
    parent: id of the document.
    prompt: the prompt's text.
  """

  name: str
  kind: str
  parent: str
  prompt: str


def choose(
  documents: Sequence[Document], *, per_fact: int, seed: str
) -> tuple[Document, ...]:
  """At most `per_fact` documents of those that state the same facts.

  Raises:
    ValueError: for no documents, or `per_fact` below 1.
  """
  if not documents:
    raise ValueError('no documents to augment; build a corpus first')
  if per_fact < 1:
    raise ValueError(f'{per_fact} documents per fact; allowed are 1 and more')
  chosen = set()
  for group in retrieval.by_facts(documents):
    rng = random.Random(f'{seed}/{group[0].id}')
    chosen |= {d.id for d in rng.sample(group, min(per_fact, len(group)))}
  return tuple(d for d in documents if d.id in chosen)


def requests(
  documents: Sequence[Document], *, kind: str, samples: int
) -> tuple[Request, ...]:
  """`samples` requests of one kind for every document.

  Raises:
    ValueError: for an unknown kind.
  """
  if kind not in PROMPTS:
    raise ValueError(
      f'augmentation kind {kind!r}; known are {", ".join(PROMPTS)}'
    )
  return tuple(
    Request(
      name=f'{kind}/{document.id}/{sample}',
      kind=kind,
      parent=document.id,
      prompt=PROMPTS[kind](document.text),
    )
    for document in documents
    for sample in range(samples)
  )


def longest(
  documents: Sequence[Document],
  context: Context,
  count_tokens: Callable[[str], int],
) -> int:
  """Tokens of the longest prompt, BOS and the context of global ones included.

  Args:
    documents: that are asked about.
    context: of the global prompts.
    count_tokens: length of a text in tokens.
  """
  tokens = {
    kind: max(count_tokens(prompt(document.text)) for document in documents)
    for kind, prompt in PROMPTS.items()
  }
  return 1 + max(tokens['local'], count_tokens(context.text) + tokens['global'])


def prompt_hash(kind: str) -> str:
  """Twelve hex digits that change when the prompt's wording does."""
  text = PROMPTS[kind]('{document}')
  return hashlib.sha256(text.encode()).hexdigest()[:12]
