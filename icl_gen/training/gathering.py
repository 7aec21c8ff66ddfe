"""Parameters that are split over devices, gathered where they are used."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from icl_gen.model import sharding
from icl_gen.model.parameters import Params


class Gatherer:
  """Makes compute copies of parameters, for one model on one mesh."""

  def __init__(self, module: Any, params: Params, mesh: Mesh | None) -> None:
    """Finds where parameters live.

    Args:
      module: from `registry.make_module`.
      params: all its parameters, or their shapes.
      mesh: the devices; None: one.

    Raises:
      ValueError: as `sharding.specs`.
    """
    self._dtype = module.dtype
    self._split = mesh is not None and mesh.size > 1
    if mesh is None or not self._split:
      return
    self._kept = sharding.shardings(mesh, module, params)
    in_use = sharding.specs(module, params, model=mesh.shape['model'])
    self._in_use = sharding.placed(mesh, in_use)
    self._rows = sharding.rows(mesh)

  def copy(self, params: Params, name: str) -> Params:
    """A compute copy of the parameters under a name, whole along 'fsdp'.

    They are cast before they are gathered, which halves what is sent. Their
    gradient is scattered as it is summed.
    """
    if not self._split:
      return jax.tree.map(lambda leaf: leaf.astype(self._dtype), params)
    return jax.tree.map(
      lambda leaf, kept, in_use: _gathered(
        self._dtype, kept, in_use, leaf.dtype, leaf
      ),
      params,
      self._kept[name],
      self._in_use[name],
    )

  def by_rows(self, x: jax.Array) -> jax.Array:
    """Activations, split over devices by rows only."""
    if not self._split:
      return x
    return jax.lax.with_sharding_constraint(x, self._rows)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2, 3))
def _gathered(
  dtype: Any, kept: Any, in_use: Any, master: Any, leaf: jax.Array
) -> jax.Array:
  del master
  cast = jax.lax.with_sharding_constraint(leaf.astype(dtype), kept)
  return jax.lax.with_sharding_constraint(cast, in_use)


def _gathered_forward(
  dtype: Any, kept: Any, in_use: Any, master: Any, leaf: jax.Array
) -> tuple[jax.Array, None]:
  return _gathered(dtype, kept, in_use, master, leaf), None


def _gathered_backward(
  dtype: Any, kept: Any, in_use: Any, master: Any, _: None, found: jax.Array
) -> tuple[jax.Array]:
  del dtype, in_use
  return (jax.lax.with_sharding_constraint(found, kept).astype(master),)


_gathered.defvjp(_gathered_forward, _gathered_backward)


def embedded(
  table_VxD: jax.Array,
  tokens_BxL: jax.Array,
  *,
  dtype: np.dtype[Any],
  mesh: Mesh | None,
) -> jax.Array:
  """The embeddings of tokens, as the gemma package scales them, [B, L, D].

  Args:
    table_VxD: the table, in any dtype; split over a mesh by its rule.
    tokens_BxL: int32.
    dtype: of the result; the table is cast to it before it is gathered.
    mesh: the devices; None: one.
  """

  def of_device(table: jax.Array, tokens: jax.Array) -> jax.Array:
    table, first = whole_table(table, dtype=dtype, mesh=mesh)
    x = table[tokens - first if mesh is not None else tokens]
    if mesh is not None and mesh.shape['model'] > 1:
      local = (tokens >= first) & (tokens < first + table.shape[0])
      x = jax.lax.psum(jnp.where(local[..., None], x, 0), 'model')
    return x * jnp.sqrt(table.shape[1]).astype(dtype)

  if mesh is None or mesh.size == 1:
    mesh = None
    return of_device(table_VxD, tokens_BxL)
  return jax.shard_map(
    of_device,
    mesh=mesh,
    in_specs=(table_spec(mesh), jax.P(sharding.ROWS)),
    out_specs=jax.P(sharding.ROWS),
    check_vma=False,
  )(table_VxD, tokens_BxL)


def table_spec(mesh: Mesh) -> jax.P:
  """Where the embedding table lives, as `sharding.RULES` say."""
  split = tuple(name for name in ('model', 'fsdp') if mesh.shape[name] > 1)
  return jax.P(split or None)


def whole_table(
  table_VxD: jax.Array, *, dtype: np.dtype[Any], mesh: Mesh | None
) -> tuple[jax.Array, jax.Array | int]:
  """Inside `shard_map`: this device's pieces, and the id of the first.

  Args:
    table_VxD: this device's part of the table.
    dtype: to cast it to.
    mesh: the devices; None: one, which has the whole table.
  """
  table_VxD = table_VxD.astype(dtype)
  if mesh is None:
    return table_VxD, 0
  if mesh.shape['fsdp'] > 1:
    table_VxD = jax.lax.all_gather(table_VxD, 'fsdp', axis=0, tiled=True)
  if mesh.shape['model'] == 1:
    return table_VxD, 0
  return table_VxD, jax.lax.axis_index('model') * table_VxD.shape[0]
