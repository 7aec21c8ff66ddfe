"""Other ways to score rows; each returns log-probabilities and seconds.

Requests are name -> rows, a row being (given ids, choice ids). Answers are
name -> {'logps': one per row, 'seconds': time without compilation, ...}.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import time

import jax
import numpy as np

from icl_gen.model import safetensors_folder


def package(model, requests):
  """A loop over the gemma package's own call, row by row."""
  return {name: _package(model, rows) for name, rows in requests.items()}


def _package(model, rows):
  longest = max(len(given) + len(choice) for given, choice in rows)
  length = -(-longest // 64) * 64

  def score(given, choice):
    ids_1xL = np.full((1, length), 5, np.int32)
    ids = [*given, *choice]
    ids_1xL[0, : len(ids)] = ids
    logits = model.module.apply({'params': model.params}, ids_1xL).logits[0]
    scored = logits[len(given) - 1 : len(ids) - 1].astype('float32')
    logps = jax.nn.log_softmax(scored, axis=-1)
    return float(logps[np.arange(len(choice)), np.asarray(choice)].sum())

  score(*rows[0])  # Compiles.
  start = time.perf_counter()
  logps = [score(*row) for row in rows]
  return {'logps': logps, 'seconds': time.perf_counter() - start}


def lm_eval(model, requests, *, python):
  """lm-evaluation-harness, in another Python environment; see harness.py."""
  longest = max(
    len(given) + len(choice)
    for rows in requests.values()
    for given, choice in rows
  )
  with tempfile.TemporaryDirectory() as folder:
    directory = pathlib.Path(folder)
    safetensors_folder.write(
      directory,
      model.params,
      model.module.config,
      positions=longest + 1,
      stops=[model.tokenizer.eos_id],
    )
    (directory / 'requests.json').write_text(json.dumps(requests))
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    script = pathlib.Path(__file__).with_name('harness.py')
    subprocess.run([python, str(script), folder], check=True, env=env)
    return json.loads((directory / 'results.json').read_text())
