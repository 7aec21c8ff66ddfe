"""How a training step is computed; nothing here changes what is computed."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax

from icl_gen.model import splash

# Name -> what the gradient finds again instead of computing it again. Without
# rematerialisation, it finds everything.
REMAT: Mapping[str, Any] = {
  # Outputs of matrix products; what they are made into is computed again.
  'dots': jax.checkpoint_policies.save_from_both_policies(
    jax.checkpoint_policies.dots_with_no_batch_dims_saveable,
    jax.checkpoint_policies.save_only_these_names(splash.KEPT),
  ),
  # Outputs of attention.
  'attention': jax.checkpoint_policies.save_only_these_names(splash.KEPT),
  # Nothing but the input of every layer.
  'full': jax.checkpoint_policies.nothing_saveable,
}
# Up to so many logits of a batch (256 MiB), all of them exist at once, which is
# fastest for small vocabularies.
LOGITS_AT_ONCE = 2**26
# Logits of a chunk on a device: 1 GiB. Every chunk reads and writes the
# gradient of the whole table, so they should not be small.
LOGITS_IN_CHUNK = 2**28


@dataclasses.dataclass(frozen=True)
class Plan:
  """How a step is computed.

  Attributes:
    mesh: the devices, from `sharding.make_training_mesh`.
    remat: 'none' or a key of REMAT.
    scan: whether layers that repeat are compiled once.
    microbatches: parts of a batch that are computed one after the other.
  """

  mesh: jax.sharding.Mesh
  remat: str = 'none'
  scan: bool = False
  microbatches: int = 1

  def __post_init__(self) -> None:
    if self.remat != 'none' and self.remat not in REMAT:
      raise ValueError(
        f'unknown remat {self.remat!r}; known are none, {", ".join(REMAT)}'
      )

  @property
  def is_split(self) -> bool:
    """Whether there is more than one device."""
    return self.mesh.size > 1

  def is_plain(self, *, rows: int, length: int, vocabulary: int) -> bool:
    """Whether all logits of such a batch are computed at once.

    Then the whole forward pass is one function, which is fastest for small
    models on one device.
    """
    apart = self.is_split or self.scan or self.remat != 'none'
    return not apart and rows * length * vocabulary <= LOGITS_AT_ONCE


def chunk(*, rows: int, length: int, vocabulary: int) -> int:
  """Positions of a chunk, of rows on one device, that divide the length best.

  Args:
    rows: rows on one device.
    length: tokens per row.
    vocabulary: pieces on one device.
  """
  most = max(LOGITS_IN_CHUNK // (rows * vocabulary), 1)
  return math.ceil(length / math.ceil(length / most))
