"""Training steps of four libraries side by side, on this machine; run by hand.

  python -m tests.bench.training --hf_python PYTHON --tunix_python PYTHON
  python -m tests.bench.training --small

icl_gen, gemma with kauldron, tunix, and transformers with torch train the same
weights, all of them, in float32, on the same rows with AdamW: each library by
its own step (training_steps.py), in a process of its own, in turns. Without the
last two options, the first two libraries are measured. Prints the median of all
turns: tokens per second, share of the matrix products that JAX does here in
the same time, seconds of the first two steps, and the peak of the resident
memory, without what was resident before the first step and with it. A loss that
differs from ours by more than 0.1 % ends the benchmark: something else was
computed.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import jax
import numpy as np

from icl_gen.model import flops, initialisation, registry, safetensors_folder

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
# Model -> rows, tokens per row, and timed steps of a turn.
SIZES = {'nano': (16, 256, 20), 'gemma3_270m': (2, 256, 4)}
SMALL = {'nano_small': (2, 16, 1)}


def write(folder, model, *, rows, length):
  """Writes new weights and random rows for the libraries to read."""
  module = registry.make_module(model)
  params = initialisation.make_params(module, seed=0)
  safetensors_folder.write(
    folder, params, module.config, positions=length, stops=[1]
  )
  ids_BxL = np.random.default_rng(0).integers(
    5, module.config.num_embed, (rows, length), np.int32
  )
  np.save(folder / 'ids.npy', ids_BxL)
  return flops.of_training(module, params, rows=rows, length=length)


def measure(library, python, folder, model, *, steps):
  """What training_steps.py says."""
  path = folder / f'{library}.json'
  command = [python, HERE / 'training_steps.py', library, folder]
  subprocess.run(
    [*command, f'--model={model}', f'--steps={steps}', f'--json={path}'],
    env=os.environ | {'PYTHONPATH': str(ROOT)},
    check=True,
  )
  return json.loads(path.read_text())


def products_per_second(size=3072, times=3):
  """Floating-point operations per second of float32 matrix products."""
  rng = np.random.default_rng(0)
  one = jax.device_put(rng.normal(size=(size, size)).astype(np.float32))
  multiply = jax.jit(lambda a: a @ a)
  multiply(one).block_until_ready()
  seconds = []
  for _ in range(times):
    start = time.perf_counter()
    multiply(one).block_until_ready()
    seconds.append(time.perf_counter() - start)
  return 2 * size**3 / min(seconds)


def summary(turns, *, tokens, operations, peak):
  """The line of a library, from its turns."""
  seconds = statistics.median(s for turn in turns for s in turn['seconds'])
  return {
    'tokens_per_second': tokens / seconds,
    'share_of_peak': operations / seconds / peak,
    'first_seconds': statistics.median(t['first_seconds'] for t in turns),
    'training_gib': max(
      (turn['peak_bytes'] - turn['start_bytes']) / 2**30 for turn in turns
    ),
    'peak_gib': max(turn['peak_bytes'] / 2**30 for turn in turns),
  }


def require_same(turns, *, tolerance=1e-3):
  """Checks that all libraries computed the same losses.

  Raises:
    ValueError: one did not.
  """
  (first, ours), *others = [(name, t[0]['losses']) for name, t in turns.items()]
  for name, losses in others:
    if not np.allclose(losses, ours, rtol=tolerance):
      raise ValueError(f'losses of {name}: {losses}; of {first}: {ours}')


def run(model, size, pythons, *, rounds):
  """Measures all libraries with one model, in turns."""
  rows, length, steps = size
  turns = {library: [] for library, python in pythons.items() if python}
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    operations = write(folder, model, rows=rows, length=length)
    peak = products_per_second()
    for _ in range(rounds):
      for library, found in turns.items():
        python = pythons[library]
        found.append(measure(library, python, folder, model, steps=steps))
        print(f'{model} {library} {found[-1]["seconds"]}', flush=True)
  require_same(turns)
  return {
    library: summary(
      found, tokens=rows * length, operations=operations, peak=peak
    )
    for library, found in turns.items()
  }


def table(model, size, found):
  """Lines of a table in Markdown, ours first."""
  rows, length, _ = size
  for library, line in found.items():
    ours = found['icl_gen']
    yield (
      f'| {model} | {rows} x {length} | {library}'
      f' | {line["tokens_per_second"]:,.0f}'
      f' | {ours["tokens_per_second"] / line["tokens_per_second"]:.2f}'
      f' | {100 * line["share_of_peak"]:.0f}%'
      f' | {line["training_gib"]:.2f} | {line["peak_gib"]:.2f}'
      f' | {line["first_seconds"]:.0f} s |'
    )


def main():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument(
    '--small', action='store_true', help='to see that it runs'
  )
  parser.add_argument('--models', default='', help='with commas; default: all')
  parser.add_argument('--rounds', type=int, default=2)
  parser.add_argument('--tunix_python', default='')
  parser.add_argument('--hf_python', default='')
  parser.add_argument('--json', type=pathlib.Path)
  given = parser.parse_args()
  pythons = {
    'icl_gen': sys.executable,
    'kauldron': sys.executable,
    'tunix': given.tunix_python,
    'transformers': given.hf_python,
  }
  sizes = SMALL if given.small else SIZES
  wanted = given.models.split(',') if given.models else list(sizes)
  found = {}
  for model in wanted:
    found[model] = run(
      model, sizes[model], pythons, rounds=1 if given.small else given.rounds
    )
  if given.json:
    given.json.write_text(json.dumps(found, indent=2))
  print(
    '| model | rows | library | tokens/s | ours, times that | of the peak'
    ' | GiB of training | GiB in all | first two steps |'
  )
  print('|---' * 9 + '|')
  for model, lines in found.items():
    print('\n'.join(table(model, sizes[model], lines)))


if __name__ == '__main__':
  main()
