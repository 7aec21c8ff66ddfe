"""Documents as the sequences that a model is trained on."""

from collections.abc import Sequence

from icl_gen.text import reversing, tokens
from icl_gen.text import splitting as splits
from icl_gen.training.batches import Example
from icl_gen.types import Document


def examples(
  documents: Sequence[Document],
  tokenizer: tokens.Tokenizer,
  *,
  splitting: str,
  reverse: str,
  loss_on: str,
) -> list[Example]:
  """Returns the training sequences of documents.

  Args:
    documents: in any order; training shuffles the sequences.
    tokenizer: the model's.
    splitting: of documents into sentences; see `text/splitting.py`.
    reverse: which reversals are added; see `text/reversing.py`.
    loss_on: 'text' or 'completion'; see `tokens.encode_document`.

  Raises:
    ValueError: for an unknown splitting, `reverse` or `loss_on`.
  """
  parts = splits.split(documents, splitting=splitting)
  return [
    Example(
      *tokens.encode_document(tokenizer, document, loss_on=loss_on),
      name=document.id,
    )
    # Parts have no known facts, but the documents may.
    for document in reversing.with_reversed(
      parts, reverse=reverse, known=documents
    )
  ]
