"""Sequences whose targets are what a model expected in context.

Of a generated text, the model learns what it expected at each place when it
read the text after its prompt and context (context distillation, Snell et al.,
arXiv 2209.15189), in place of the token that was sampled:

  loss = - sum over v in K of q(v) log p(v),   q(v) = P(v) / sum over K of P

P is the model's own distribution in context, p that of the model in training,
and K has the tokens that were stored. What P has elsewhere is left out, and the
rest scaled up to 1: p is driven to have nothing there, too.

Places without a distribution, the end of a text and all of an original document
have their token as the target. So rows, order and weights are those of training
on tokens.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from icl_gen.storage.distributions import Distributions
from icl_gen.training.batches import Example, certain
from icl_gen.types import GIVEN, Document


def distilled(
  examples: Sequence[Example],
  documents: Sequence[Document],
  found: Mapping[str, Distributions] | None,
) -> list[Example]:
  """Gives the sequences of generated documents their targets.

  Args:
    examples: one for each document, named after it.
    documents: original and generated ones.
    found: of each generated document, by its id; None: nothing was read.

  Raises:
    ValueError: nothing was read, a generated document has no distributions, or
      they are of other tokens.
  """
  if found is None:
    raise ValueError(
      "--config.train.targets='distribution' is for `python -m icl_gen.train`,"
      ' which reads what `python -m icl_gen.augment` stored; give'
      " targets='tokens' here"
    )
  generated = {one.id for one in documents if one.origin != GIVEN}
  return [
    _distilled(example, found) if example.name in generated else example
    for example in examples
  ]


def _distilled(example: Example, found: Mapping[str, Distributions]) -> Example:
  if example.name not in found:
    raise ValueError(
      f'generated document {example.name!r} has no distributions, which'
      " --config.train.targets='distribution' is trained on: run `python -m"
      ' icl_gen.augment` again, with --config.augment.likeliest=32'
    )
  own = found[example.name]
  if not np.array_equal(example.ids[1:-1], own.ids_L):
    raise ValueError(
      f'the distributions of {example.name!r} are of other tokens than those'
      ' that are trained on: run `python -m icl_gen.augment` again with the'
      ' same tokenizer'
    )
  L, (N, K) = len(example.ids), own.likeliest_NxK.shape
  ids_LxK, shares_LxK = certain(example.ids, count=K)
  # The last place is EOS, before which there are N tokens of the text.
  ids_LxK[L - 1 - N : L - 1] = own.likeliest_NxK
  shares_LxK[L - 1 - N : L - 1] = _shares(own.logps_NxK)
  return dataclasses.replace(
    example, target_ids_LxK=ids_LxK, target_shares_LxK=shares_LxK
  )


def _shares(logps_NxK: np.ndarray) -> np.ndarray:
  """Probabilities, scaled to add up to 1 at each place, float32[N, K]."""
  found_NxK = np.exp(logps_NxK.astype(np.float64))
  found_NxK /= found_NxK.sum(axis=1, keepdims=True)
  return found_NxK.astype(np.float32)
