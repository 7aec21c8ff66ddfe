"""Encoded contexts, kept so that a context used again is not encoded again."""

import collections
from typing import Any

import jax
import numpy as np

from icl_gen.model import cores, forward, prefix
from icl_gen.model.parameters import Params


class PrefixCache:
  """An LRU cache of encoded contexts, bounded in bytes.

  `PrefixCache.encode` can be passed wherever a function from ids to a prefix is
  expected.
  """

  def __init__(
    self,
    module: Any,
    params: Params,
    *,
    budget_bytes: int,
    core: str = 'auto',
  ) -> None:
    """Starts empty.

    Args:
      module: from `registry.make_module`.
      params: its parameters.
      budget_bytes: device memory for all cached contexts together.
      core: see `prefix.encode`.

    Raises:
      ValueError: for a core that is unknown or does not support this model.
    """
    _check_core(core, module, params)
    self._module, self._params, self._core = module, params, core
    self._budget = budget_bytes
    # The least recently used context comes first.
    self._kept: collections.OrderedDict[bytes, prefix.Prefix] = (
      collections.OrderedDict()
    )

  def encode(self, ids: np.ndarray) -> prefix.Prefix:
    """The encoded context of ids int32[P], computed unless cached.

    Raises:
      ValueError: for a context that is too long, or alone exceeds the budget.
    """
    key = np.asarray(ids, np.int32).tobytes()
    if key not in self._kept:
      needed = prefix.nbytes_of_length(self._module, self._params, len(ids))
      if needed > self._budget:
        raise ValueError(
          f'a context of {len(ids)} tokens takes {needed} bytes, the budget is'
          f' {self._budget}: raise it, or put fewer documents into the context'
        )
      while self.nbytes + needed > self._budget:
        self._kept.popitem(last=False)
      self._kept[key] = prefix.encode(
        self._module, self._params, ids, core=self._core
      )
    self._kept.move_to_end(key)
    return self._kept[key]

  @property
  def nbytes(self) -> int:
    """Bytes of the cached contexts."""
    return sum(prefix.nbytes(kept) for kept in self._kept.values())


def _check_core(core: str, module: Any, params: Params) -> None:
  if forward.is_dense(module):
    table_VxD: jax.Array = params['embedder']['input_embedding']
    cores.choose(
      core,
      part=True,
      dtype=table_VxD.dtype,
      width=module.config.head_dim,
      soft_cap=module.config.attn_logits_soft_cap,
    )
  elif core != 'auto':
    raise ValueError(
      f'attention {core!r} for {type(module).__name__}, whose attention is the'
      " gemma package's own: choose auto"
    )
