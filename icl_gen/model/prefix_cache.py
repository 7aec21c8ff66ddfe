"""Encoded contexts that are used again, one per seed for example."""

import collections

import numpy as np

from icl_gen.model import cores, forward, prefix


class Prefixes:
  """As many encoded contexts as fit a budget; the one used longest ago goes.

  It is the only thing here that changes: `encode` may be called in its place.
  """

  def __init__(self, module, params, *, budget_bytes: int, core: str = 'auto'):
    """Starts empty.

    Args:
      module: from `registry.make_module`.
      params: its parameters.
      budget_bytes: of the device memory that the kept contexts take together.
      core: see `prefix.encode`.

    Raises:
      ValueError: for a core that is unknown, or cannot do this model's
        attention.
    """
    _check_core(core, module, params)
    self._module, self._params, self._core = module, params, core
    self._budget = budget_bytes
    self._kept = collections.OrderedDict()

  def encode(self, ids: np.ndarray) -> prefix.Prefix:
    """The encoded context int32[P], computed if it is not there.

    Raises:
      ValueError: for one that alone is over the budget, or is too long.
    """
    key = np.asarray(ids, np.int32).tobytes()
    if key not in self._kept:
      size = prefix.size(self._module, self._params, len(ids))
      if size > self._budget:
        raise ValueError(
          f'a context of {len(ids)} tokens takes {size} bytes, the budget is'
          f' {self._budget}: raise it, or put fewer documents into the context'
        )
      while self.size + size > self._budget:
        self._kept.popitem(last=False)
      self._kept[key] = prefix.encode(
        self._module, self._params, ids, core=self._core
      )
    self._kept.move_to_end(key)
    return self._kept[key]

  @property
  def size(self) -> int:
    """Bytes of the contexts that are kept."""
    return sum(prefix.size_of(kept) for kept in self._kept.values())


def _check_core(core, module, params) -> None:
  if forward.is_dense(module):
    cores.choose(
      core,
      part=True,
      dtype=params['embedder']['input_embedding'].dtype,
      width=module.config.head_dim,
      soft_cap=module.config.attn_logits_soft_cap,
    )
  elif core != 'auto':
    raise ValueError(
      f'attention {core!r} for {type(module).__name__}, which attends as the'
      ' gemma package does: choose auto'
    )
