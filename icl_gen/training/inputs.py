"""The batches of a fine-tuning run, as its settings say."""

from collections.abc import Mapping, Sequence

from icl_gen.runs import buffers, replay
from icl_gen.runs.experiments import Training
from icl_gen.storage.distributions import Distributions
from icl_gen.text import tokens
from icl_gen.training import batches, distilling, examples, limits
from icl_gen.types import Document


def make(
  documents: Sequence[Document],
  tokenizer: tokens.Tokenizer,
  train: Training,
  *,
  model: str,
  seed: int,
  distributions: Mapping[str, Distributions] | None = None,
) -> batches.Batches:
  """Packs documents into batches, with the texts that are replayed.

  Args:
    documents: those to learn, in any order.
    tokenizer: the model's.
    train: the settings; a length of 0 follows from the longest sequence.
    model: its name.
    seed: of the order, and of what is masked.
    distributions: of the generated documents, by id; None: there are none.

  Raises:
    ValueError: as `examples.examples`, `distilling.distilled`,
      `limits.require_rows`, `batches.batches` and `replay.documents`.
  """
  sequences = examples.examples(documents, tokenizer, train, seed=seed)
  if train.targets == 'distribution':
    sequences = distilling.distilled(sequences, documents, distributions)
  longest = max(len(one.ids) for one in sequences)
  length = buffers.row(train.length, longest=longest)
  limits.require_rows(length, model=model)
  again: list[batches.Example] = []
  if train.replay:
    again = examples.replayed(
      replay.documents(train.replay), tokenizer, length=length
    )
  return batches.batches(
    sequences,
    batch_size=train.batch_size,
    length=length,
    seed=seed,
    steps=train.steps,
    replayed=again,
    replay_share=train.replay_share,
  )
