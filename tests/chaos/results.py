"""What a study found, as its readers see it, without times and paths."""

import functools
import hashlib
import json
import pathlib

import jax
import numpy as np
import pyarrow.parquet as pq

from icl_gen.model import checkpoints, initialisation, registry
from icl_gen.storage import corpus_files, files, scores
from tests.doors import forks

# Files of the report with times or paths, which differ from run to run.
_VARYING = ('costs.csv', 'prices.csv', 'index.html', 'SHA256SUMS')
# What the report draws of the logs, compared where they are.
_CURVES = 'report/curves.png'
# What the lines of a training say about its speed.
_SPEED = ('eta_seconds', 'tokens_per_second')


def of_study(root):
  """Name of a result -> its digest, or why it cannot be read.

  Args:
    root: the study's directory.
  """
  root = pathlib.Path(root)
  readers = {
    'corpora/*': _corpus,
    'runs/*/params': _weights,
    'runs/*/scores.parquet': _scores,
    'runs/*/metrics.jsonl': _metrics,
    'report': _report,
    _CURVES: _bytes,
    'own/corpora/*': _corpus,
    'own/report': _report,
    'exports/*': _tree,
    'measure/nano/in_context.json': _bytes,
    'pretrain/nano/params': _weights,
    'pretrain/nano/tokenizer.model': _bytes,
  }
  return {
    path.relative_to(root).as_posix(): _or_why(read, path)
    for pattern, read in readers.items()
    for path in sorted(root.glob(pattern))
    if not path.name.startswith('.') and not path.name.endswith('.settings')
  }


def differences(found, wanted):
  """A line for every result that is missing or not the same."""
  return [
    f'{name}: {found.get(name, "missing")}'
    for name in wanted
    if found.get(name) != wanted[name]
  ]


def _or_why(read, path):
  try:
    return read(path)
  except (ValueError, OSError, KeyError, TypeError) as error:
    return f'{type(error).__name__}: {error}'[:300]


def _digest(value):
  return files.digest(value)[:16]


def _bytes(path):
  return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _tree(path):
  found = sorted(p for p in path.rglob('*') if p.is_file())
  return _digest([(p.relative_to(path).as_posix(), _bytes(p)) for p in found])


def _corpus(path):
  """Every file; of the manifest, what is not a time or a digest of a file."""
  named = {p.name: _bytes(p) for p in path.iterdir() if p.is_file()}
  del named[corpus_files.MANIFEST]
  corpus = corpus_files.read(path)
  told = json.loads(json.dumps(dict(corpus.manifest)))
  for cost in told.get('costs', {}).values():
    del cost['seconds']
  return _digest([sorted(named.items()), told, repr(corpus.questions)])


def _weights(path):
  like = _shapes()
  params = checkpoints.load_params(path, like)
  leaves = jax.tree_util.tree_leaves_with_path(params)
  return _digest(
    [
      [
        jax.tree_util.keystr(name),
        hashlib.sha256(np.ascontiguousarray(leaf).tobytes()).hexdigest(),
      ]
      for name, leaf in leaves
    ]
  )


@functools.cache
def _shapes():
  registry.NANO['nano'] = forks.SHRUNK
  module = registry.make_module('nano')
  return jax.eval_shape(lambda: initialisation.make_params(module, seed=0))


def _scores(path):
  rows = scores.read_scores(path)
  metadata = pq.read_schema(path).metadata[scores.METADATA_KEY]
  told = json.loads(metadata)
  keys = ('world', 'condition', 'model', 'seed')
  return _digest([repr(rows), [told[key] for key in keys]])


def _metrics(path):
  lines = files.read_json_lines(path)
  for line in lines:
    for name in _SPEED:
      line.pop(name, None)
  return _digest(lines)


def _report(path):
  page = (path / 'index.html').read_text('utf-8')
  assert page.rstrip().endswith('</html>')
  found = sorted(p for p in path.rglob('*') if p.is_file())
  return _digest(
    [
      (p.relative_to(path).as_posix(), p.name in _VARYING or _bytes(p))
      for p in found
      if not p.match(_CURVES)
    ]
  )
