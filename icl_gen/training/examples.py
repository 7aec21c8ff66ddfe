"""Documents as the sequences that a model is trained on."""

from collections.abc import Sequence

import numpy as np

from icl_gen.runs.experiments import Training
from icl_gen.text import masking, reversing, splitting, tokens
from icl_gen.training.batches import Example
from icl_gen.types import Document


def examples(
  documents: Sequence[Document],
  tokenizer: tokens.Tokenizer,
  train: Training,
  *,
  seed: int,
) -> list[Example]:
  """Returns the training sequences of documents.

  Args:
    documents: in any order; training shuffles the sequences.
    tokenizer: the model's.
    train: the settings `splitting` (see text/splitting.py), `reverse` (see
      text/reversing.py), `mask` and what belongs to it (see text/masking.py),
      and `loss_on` (see `tokens.encode_document`).
    seed: of what is masked.

  Raises:
    ValueError: for an unknown name.
  """
  parts = splitting.split(documents, splitting=train.splitting)
  # Parts have no known facts, but the documents may.
  texts = reversing.with_reversed(parts, reverse=train.reverse, known=documents)
  if train.mask not in masking.MASKINGS:
    raise ValueError(
      f'mask {train.mask!r}; allowed are {", ".join(masking.MASKINGS)}'
    )
  if train.mask == 'alone':
    own = {part.id for part in parts}
    texts = tuple(text for text in texts if text.id not in own)
  found = [_example(text, tokenizer, loss_on=train.loss_on) for text in texts]
  if train.mask == 'none':
    return found
  tasks = masking.masked(
    parts, copies=train.mask_copies, share=train.mask_share, seed=str(seed)
  )
  # A task is given, not learned: there are no texts with blanks to write.
  return found + [
    _example(task, tokenizer, loss_on='completion') for task in tasks
  ]


def _example(
  document: Document, tokenizer: tokens.Tokenizer, *, loss_on: str
) -> Example:
  ids, weights = tokens.encode_document(tokenizer, document, loss_on=loss_on)
  return Example(ids, weights, name=document.id)


def replayed(
  documents: Sequence[Document], tokenizer: tokens.Tokenizer, *, length: int
) -> list[Example]:
  """Returns the sequences of texts that are replayed, with loss on all of them.

  A text that is longer than a row continues in another sequence, which begins
  with BOS again; its last sequence has the EOS. No token is lost.

  Args:
    documents: texts of any length.
    tokenizer: the model's.
    length: tokens per row, 2 or more.

  Raises:
    ValueError: a text is empty.
  """
  return [
    part
    for document in documents
    for part in _parts(document, tokenizer, length=length)
  ]


def _parts(
  document: Document, tokenizer: tokens.Tokenizer, *, length: int
) -> list[Example]:
  ids, weights = tokens.encode_document(tokenizer, document, loss_on='text')
  bos, text = np.split(ids, [1])
  pieces = np.split(text, range(length - 1, len(text), length - 1))
  return [
    Example(
      np.concatenate([bos, piece]), weights[: 1 + len(piece)], document.id
    )
    for piece in pieces
  ]
