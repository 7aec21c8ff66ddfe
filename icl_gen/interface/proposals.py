"""Questions that a model proposes about documents, for their user to edit."""

import random
from collections.abc import Sequence
from typing import Any

from icl_gen.interface import functions
from icl_gen.model.loading import Model
from icl_gen.runs import models
from icl_gen.text import prompts
from icl_gen.types import Document
from icl_gen.worlds import proposals

_MAX_TOKENS = 64  # of a completion


def propose(
  model: Model, documents: Sequence[Document], *, seed: int, most: int = 25
) -> list[dict[str, Any]]:
  """Returns lines of a questions.jsonl, each with its source.

  Statements are sentences of the documents; what the model writes about one of
  them gives rephrasings and reversals, what it writes after several of them,
  combinations. Nothing is checked: wrong ones are for the reader to delete.

  Args:
    model: from `functions.load`.
    documents: one or more.
    seed: of all draws.
    most: documents that the model is prompted with, and questions of a kind.

  Raises:
    ValueError: no documents, or one for which the model has no room.
  """
  rng = random.Random(f'propose/{seed}')
  chosen = rng.sample(documents, min(most, len(documents)))
  written: list[Document] = []
  for kind, about in (
    ('local', chosen),
    ('global', _that_fit(chosen, model)),
  ):
    written += functions.infer(
      model, about, kind=kind, max_tokens=_MAX_TOKENS, seed=seed
    )
  texts = {document.id: document.text for document in documents}
  found = [
    *proposals.stated(documents),
    *proposals.inferred(written, texts),
  ]
  rows = proposals.rows(found, texts, seed=f'propose/{seed}')
  return [
    row
    for kind in proposals.KINDS
    for row in _some([row for row in rows if row['kind'] == kind], most, rng)
  ]


def _some(
  rows: list[dict[str, Any]], most: int, rng: random.Random
) -> list[dict[str, Any]]:
  """A sample, in the order of the rows."""
  places = sorted(rng.sample(range(len(rows)), min(most, len(rows))))
  return [rows[place] for place in places]


def _that_fit(
  documents: Sequence[Document], model: Model
) -> Sequence[Document]:
  """The first documents that fit into a context, with a prompt after them."""
  left = 2 * models.longest(model.name) // 3
  kept: list[Document] = []
  for document in documents:
    said = prompts.bullet(document.text) + prompts.NEWLINE
    left -= model.tokenizer.count(said)
    if left < 0 and kept:
      break
    kept.append(document)
  return kept
