"""The batches of a fine-tuning run, as its settings say."""

from collections.abc import Sequence

from icl_gen.runs import replay
from icl_gen.runs.experiments import Training
from icl_gen.text import tokens
from icl_gen.training import batches, examples


def make(
  sequences: Sequence[batches.Example],
  tokenizer: tokens.Tokenizer,
  train: Training,
  *,
  seed: int,
) -> batches.Batches:
  """Packs sequences into batches, with the texts that are replayed.

  Args:
    sequences: from `examples.examples`.
    tokenizer: the model's.
    train: the settings.
    seed: of the order.

  Raises:
    ValueError: as `batches.batches` and `replay.documents`.
  """
  again: list[batches.Example] = []
  if train.replay:
    again = examples.replayed(
      replay.documents(train.replay), tokenizer, length=train.length
    )
  return batches.batches(
    sequences,
    batch_size=train.batch_size,
    length=train.length,
    seed=seed,
    steps=train.steps,
    replayed=again,
    replay_share=train.replay_share,
  )
