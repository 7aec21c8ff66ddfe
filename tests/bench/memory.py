"""Peak memory of scoring after a long context; run by hand.

  python -m tests.bench.memory --length 32768 --limit_gib 24
  python -m tests.bench.memory --length 4096 --layers 6 --vocabulary 32768
  python -m tests.bench.memory --small

The model has the shape of Gemma 3 1B and random weights. Prints the peak
resident memory of the process (getrusage) after each stage, and the sizes of
arrays that a plainer implementation would allocate and ours does not.
"""

import argparse
import dataclasses
import json
import resource
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from icl_gen.model import (
  forward,
  head,
  initialisation,
  prefix,
  prefix_attention,
  registry,
)

ROWS, ROW_LENGTH = 16, 32
FULL = {'length': 32_768, 'layers': 26, 'vocabulary': 262_144}
SMALL = {'length': 256, 'layers': 2, 'vocabulary': 512}


def peak_gib() -> float:
  """Peak resident memory so far; Linux counts KiB, macOS bytes."""
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return peak / (2**30 if sys.platform == 'darwin' else 2**20)


def make_model(*, layers: int, vocabulary: int, dtype: str):
  """The module of Gemma 3 1B or its first layers, and random weights."""
  module = registry.make_module('gemma3_1b', dtype=dtype)
  config = dataclasses.replace(
    module.config,
    num_embed=vocabulary,
    attention_types=module.config.attention_types[:layers],
  )
  module = type(module)(config=config, dtype=jnp.dtype(dtype), tokens='tokens')
  shapes = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  rng = np.random.default_rng(0)

  def draw(leaf):
    # Row by row: float32 noise for a whole leaf would set the peak.
    out = np.empty((leaf.size // leaf.shape[-1], leaf.shape[-1]), leaf.dtype)
    for row in out:
      row[:] = 0.02 * rng.standard_normal(row.size, np.float32)
    return jnp.asarray(out.reshape(leaf.shape))

  return module, jax.tree.map(draw, shapes)


@jax.jit(static_argnums=0)
def score(module, params, shared, tokens_BxL):
  """Log-probability float32[B, L] of the token after each position."""
  B, L = tokens_BxL.shape
  positions_BxL = shared.length + jnp.tile(jnp.arange(L)[None], (B, 1))
  hidden_BxLxD, _ = forward.forward(
    module,
    params,
    tokens_BxL,
    positions_BxL,
    prefix_attention.after(
      shared, None, positions_BxL, jnp.ones_like(tokens_BxL)
    ),
  )
  return head.target_logps(
    module, params, hidden_BxLxD, jnp.roll(tokens_BxL, -1, axis=1)
  )


def measure(*, length: int, layers: int, vocabulary: int, dtype: str) -> dict:
  """Seconds and peaks (GiB) of each stage."""
  found = {'length': length, 'layers': layers, 'vocabulary': vocabulary}
  found['start_gib'] = peak_gib()
  module, params = make_model(layers=layers, vocabulary=vocabulary, dtype=dtype)
  weights = sum(leaf.nbytes for leaf in jax.tree.leaves(params))
  found |= {'weights_gib': weights / 2**30, 'loaded_gib': peak_gib()}
  rng = np.random.default_rng(1)
  start = time.monotonic()
  shared = prefix.encode(
    module, params, rng.integers(5, vocabulary, length).astype(np.int32)
  )
  jax.block_until_ready(shared)
  kept = sum(leaf.nbytes for leaf in jax.tree.leaves(shared))
  found |= {
    'prefix_gib': kept / 2**30,
    'encode_seconds': time.monotonic() - start,
    'encoded_gib': peak_gib(),
  }
  start = time.monotonic()
  rows = rng.integers(5, vocabulary, (ROWS, ROW_LENGTH)).astype(np.int32)
  logps = np.asarray(score(module, params, shared, rows))
  assert logps.shape == rows.shape and np.isfinite(logps).all()
  N, T = module.config.num_heads, ROWS * ROW_LENGTH
  return found | {
    'score_seconds': time.monotonic() - start,
    'scored_gib': peak_gib(),
    'never_made_gib': {
      'float32 logits of the context': length * vocabulary * 4 / 2**30,
      'float32 attention logits of the context': N * length**2 * 4 / 2**30,
      'float32 attention logits of the rows': N * T * length * 4 / 2**30,
      'float32 copy of the embeddings': vocabulary
      * module.config.embed_dim
      * 4
      / 2**30,
    },
  }


def main() -> None:
  """Prints the figures as JSON; exits with 1 if the peak exceeds the limit."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument(
    '--small', action='store_true', help='tiny sizes, to see that it runs'
  )
  for name, size in FULL.items():
    parser.add_argument(f'--{name}', type=int, help=f'default: {size}')
  parser.add_argument('--dtype', default='bfloat16')
  parser.add_argument('--limit_gib', type=float, default=24.0)
  options = parser.parse_args()
  sizes = {
    name: getattr(options, name) or size
    for name, size in (SMALL if options.small else FULL).items()
  }
  found = measure(**sizes, dtype=options.dtype)
  print(json.dumps(found, indent=2))
  if found['scored_gib'] > options.limit_gib:
    sys.exit(
      f'the peak is {found["scored_gib"]:.1f} GiB; --limit_gib allows'
      f' {options.limit_gib}'
    )


if __name__ == '__main__':
  main()
