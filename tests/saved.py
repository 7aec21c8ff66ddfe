"""Small trees, ways to damage a file, and what a kill leaves behind."""

import contextlib
import functools
import os
import sys

import jax
import jax.numpy as jnp
import numpy as np


def params(seed=0, dtype='float32'):
  rng = np.random.default_rng(seed)

  def draw(*shape):
    return jnp.asarray(rng.standard_normal(shape), dtype)

  return {
    'embedder': {'input_embedding': draw(7, 4)},
    'layer_0': {'mlp': {'linear': draw(4, 4)}, 'norm': {'scale': draw(4)}},
  }


def large(seed=0):
  """Weights too large for an index, so that files of their own hold them."""
  rng = np.random.default_rng(seed)
  draw = rng.standard_normal((64, 64)).astype('float32')
  return params(seed) | {'embedder': {'input_embedding': jnp.asarray(draw)}}


def assert_equal(tree, other):
  assert jax.tree.structure(tree) == jax.tree.structure(other)
  for one, two in zip(
    jax.tree.leaves(tree), jax.tree.leaves(other), strict=True
  ):
    assert one.dtype == two.dtype
    np.testing.assert_array_equal(one, two)


def without(tree, name):
  return {key: value for key, value in tree.items() if key != name}


def files_under(directory):
  return [path for path in sorted(directory.rglob('*')) if path.is_file()]


def largest(directory):
  return max(files_under(directory), key=lambda path: path.stat().st_size)


def flip(path, share):
  """Flips the bit at a share of the length of a file."""
  content = bytearray(path.read_bytes())
  content[int(share * len(content))] ^= 4
  path.write_bytes(content)


HARM = {
  'halved': lambda path: os.truncate(path, path.stat().st_size // 2),
  'emptied': lambda path: os.truncate(path, 0),
  'deleted': lambda path: path.unlink(),
  'flipped': lambda path: flip(path, 0.3),
}


# --- what a kill leaves behind ------------------------------------------------

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {'os.rename', 'os.remove', 'os.mkdir', 'os.rmdir', 'shutil.rmtree'}
_watched = []


def _look(event, args):
  """Calls the watcher before each change to the file system."""
  if not _watched:
    return
  if event in _CHANGES or (event == 'open' and args[2] & _WRITES):
    root, take = _watched[0]
    if isinstance(args[0], str) and args[0].startswith(str(root)):
      take()


@functools.cache
def _install():
  sys.addaudithook(_look)  # can never be removed


def _copy(source, target):
  """Like shutil.copytree, but files may vanish meanwhile."""
  target.mkdir(parents=True)
  for path in sorted(source.rglob('*')):
    with contextlib.suppress(FileNotFoundError):
      copy = target / path.relative_to(source)
      if path.is_dir():
        copy.mkdir(exist_ok=True)
      else:
        copy.write_bytes(path.read_bytes())


@contextlib.contextmanager
def every_moment(root, copies):
  """Copies a directory before every change in it.

  Each copy is what a kill at that moment would leave behind.
  """
  _install()
  taken = []

  def take():
    taken.append(copies / str(len(taken)))
    _copy(root, taken[-1])

  _watched.append((root, take))
  try:
    yield taken
  finally:
    _watched.clear()
