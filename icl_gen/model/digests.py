"""SHA-256 digests of the contents of a tree's arrays.

They do not depend on the layout of the files, and are kept in orbax's own
metadata of the tree.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from icl_gen.model import sharding

# The file of orbax that holds what is given as `custom_metadata`.
_METADATA = '_CHECKPOINT_METADATA'
KEY = 'sha256'  # ours in it
NONE = 'it has no digests to compare with'


def of_tree(tree: Any) -> dict[str, str]:
  """'layer_0/attn/...' -> the SHA-256 of the array's bytes, in hex."""
  return {
    jax.tree_util.keystr(path, simple=True, separator='/'): _digest(leaf)
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }


def _digest(leaf: jax.Array | np.ndarray) -> str:
  found = hashlib.sha256()
  for part in sharding.parts_on_host(leaf):
    flat = np.ascontiguousarray(part).reshape(-1)
    found.update(flat.view(np.uint8))
  return found.hexdigest()


def of_json(values: dict[str, Any]) -> str:
  """The SHA-256 of JSON values, as they are once they are read back."""
  read_back = json.loads(json.dumps(values))
  written = json.dumps(read_back, sort_keys=True)
  return hashlib.sha256(written.encode()).hexdigest()


def saved(directory: Path) -> dict[str, str]:
  """The digests that were saved with the tree in a directory; {} if none."""
  path = directory / _METADATA
  if not path.is_file():
    return {}
  custom = json.loads(path.read_text('utf-8')).get('custom_metadata') or {}
  digests: dict[str, str] = custom.get(KEY, {})
  return digests


def changed(saved: dict[str, str], found: dict[str, str]) -> str:
  """Describes the first content that is not what was saved; '' if none."""
  names = [name for name in found if found[name] != saved.get(name)]
  if not names:
    return ''
  more = f' and {len(names) - 1} more' if len(names) > 1 else ''
  return f'the contents of {names[0]}{more} are not what was saved'


def compared(saved: dict[str, str], found: dict[str, str]) -> str:
  """Describes how all contents differ from those saved; '' if they do not."""
  if not saved:
    return NONE
  if missing := sorted(saved.keys() - found.keys()):
    return f'{missing[0]} is missing'
  return changed(saved, found)
