"""Reads and writes weights as Hugging Face stores them: safetensors folders.

A folder has `config.json` and either `model.safetensors` or several files and
an index of them. No tensor is read whole unless one device needs it whole:
every device's part of every array is read from the file by itself.
"""

import contextlib
import dataclasses
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import safetensors
import safetensors.numpy

from icl_gen.model import casting, hugging_face, hugging_face_config, parameters
from icl_gen.model.hugging_face import Stored
from icl_gen.model.parameters import Params

INDEX = 'model.safetensors.index.json'
_SINGLE = 'model.safetensors'
_CONFIG = 'config.json'

# Before `embed_tokens` and `layers`: multimodal models of newer and older
# versions of transformers, and models with text only.
_PREFIXES = ('model.language_model.', 'language_model.model.', 'model.')
# The output head, which is the table of embeddings; some files hold it twice.
_HEADS = ('lm_head.weight', 'language_model.lm_head.weight')
# What belongs to images and sound, and is not read.
_OTHER_MODALITIES = re.compile(
  r'(model\.)?(vision_tower|vision_model|multi_modal_projector|audio_tower'
  r'|embed_vision|embed_audio)\.'
)
_DTYPES = {'F32': 'float32', 'BF16': 'bfloat16', 'F16': 'float16'}
# Bytes of weights per file; more in one only if a single array is larger.
_FILE = 4 * 2**30
# Rows of the head that are compared with the embeddings at a time.
_BLOCK = 8192


def is_folder(path: str | Path) -> bool:
  """Whether a directory is Hugging Face's, not the gemma package's."""
  path = Path(path)
  return (path / _CONFIG).is_file() or any(path.glob('*.safetensors'))


def has_images(path: str | Path) -> bool:
  """Whether a folder is of a model that reads images too.

  Raises:
    ValueError: there is no `config.json`, or it is damaged.
  """
  return bool(_json(Path(path) / _CONFIG).get('text_config'))


@dataclasses.dataclass(frozen=True)
class _Tensors:
  """The tensors of a folder, none of them read yet.

  Attributes:
    file_of: the open file of each, by name.
    shapes: their shapes.
    dtypes: their dtypes, in JAX's words or, if it has none, in the file's.
  """

  file_of: Mapping[str, Any]
  shapes: Mapping[str, tuple[int, ...]]
  dtypes: Mapping[str, str]

  def read(self, name: str, index: hugging_face.Index) -> np.ndarray:
    """A part of a tensor."""
    part: np.ndarray = self.file_of[name].get_slice(name)[index]
    return part


def load_params(
  path: str | Path,
  like: Params,
  *,
  model: str,
  architecture: hugging_face.Architecture,
) -> Params:
  """Reads weights.

  Args:
    path: the folder.
    like: a tree of shapes with shardings, in our layout. Its dtypes may differ
      from the files', and its table may have fewer rows.
    model: the model's name, for messages.
    architecture: its architecture.

  Raises:
    ValueError: if a file is missing or damaged, `config.json` is of another
      model, a tensor is missing, unexpected, or has another shape, or the
      weights are quantised or LoRA adapters.
  """
  leaves = _leaves(like)
  with _matched(Path(path), leaves, model, architecture) as (tensors, stored):
    dtypes = {
      one: tensors.dtypes[one] for s in stored.values() for one in s.tensors
    }
    wanted = {
      one: str(leaves[ours].dtype)
      for ours, s in stored.items()
      for one in s.tensors
    }
    casting.announce(str(path), dtypes, wanted)
    arrays = {
      ours: _read(tensors, stored[ours], leaf) for ours, leaf in leaves.items()
    }
  return jax.tree_util.tree_map_with_path(
    lambda keys, _: arrays[parameters.path_of(keys)], like
  )


def require_params(
  path: str | Path,
  like: Params,
  *,
  model: str,
  architecture: hugging_face.Architecture,
) -> None:
  """Checks what `load_params`, which has these arguments, checks first.

  Raises:
    ValueError: as `load_params`.
  """
  with _matched(Path(path), _leaves(like), model, architecture):
    pass


def _leaves(like: Params) -> dict[str, Any]:
  return {
    parameters.path_of(keys): leaf
    for keys, leaf in jax.tree_util.tree_leaves_with_path(like)
  }


@contextlib.contextmanager
def _matched(
  folder: Path,
  leaves: Mapping[str, Any],
  model: str,
  architecture: hugging_face.Architecture,
) -> Iterator[tuple[_Tensors, dict[str, Stored]]]:
  """Opens a folder; yields its tensors, and where our parameters are."""
  _require_same_architecture(folder, model, architecture)
  with _opened(folder) as tensors:
    prefix = _prefix(folder, tensors)
    stored = {
      ours: _with_prefix(hugging_face.stored(ours, architecture), prefix)
      for ours in leaves
    }
    _require_same_tensors(folder, tensors, stored, leaves)
    yield tensors, stored


def _read(
  tensors: _Tensors, stored: Stored, leaf: jax.ShapeDtypeStruct
) -> jax.Array:
  """One parameter, read part by part to the devices of its sharding."""

  def part(index: Any) -> np.ndarray:
    found = stored.read(index, leaf.shape, tensors.read)
    return found.astype(leaf.dtype, copy=False)

  array = jax.make_array_from_callback(leaf.shape, leaf.sharding, part)
  # Otherwise parts could pile up in memory on their way to the devices.
  array.block_until_ready()
  return array


def _with_prefix(stored: Stored, prefix: str) -> Stored:
  names = tuple(f'{prefix}{name}.weight' for name in stored.tensors)
  return dataclasses.replace(stored, tensors=names)


# --- files ------------------------------------------------------------------


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[_Tensors]:
  """Opens the files of a folder; errors while they are open name it."""
  names = _files(folder)
  missing = [name for name in names if not (folder / name).is_file()]
  if missing:
    raise ValueError(
      f'{str(folder)!r} is not complete: {", ".join(missing)} is missing, which'
      f' {INDEX} names. Download it again.'
    )
  file_of: dict[str, Any] = {}
  with contextlib.ExitStack() as stack:
    try:
      for name in names:
        file = stack.enter_context(safetensors.safe_open(folder / name, 'np'))
        file_of |= dict.fromkeys(file.keys(), file)
      heads = {name: f.get_slice(name) for name, f in file_of.items()}
      yield _Tensors(
        file_of,
        {name: tuple(head.get_shape()) for name, head in heads.items()},
        {
          name: _DTYPES.get(head.get_dtype(), head.get_dtype())
          for name, head in heads.items()
        },
      )
    except (safetensors.SafetensorError, OSError) as error:
      raise ValueError(
        f'a file of {str(folder)!r} cannot be read ({error}): download it again'
      ) from error


def _files(folder: Path) -> list[str]:
  """The names of a folder's safetensors files."""
  if (folder / 'adapter_config.json').is_file():
    raise ValueError(
      f'{str(folder)!r} has LoRA adapters, not weights: merge them into the'
      " model (peft's merge_and_unload) and give that folder"
    )
  if not (folder / INDEX).is_file():
    if (folder / _SINGLE).is_file():
      return [_SINGLE]
    raise ValueError(
      f'{str(folder)!r} has neither {_SINGLE} nor {INDEX}: give a Hugging Face'
      ' folder with weights in the safetensors format'
    )
  where = _json(folder / INDEX).get('weight_map')
  names = set(where.values()) if isinstance(where, dict) else set()
  if not names or any(Path(str(name)).name != name for name in names):
    raise ValueError(
      f'{str(folder / INDEX)!r} does not name files of its folder: download it'
      ' again'
    )
  return sorted(names)


def _json(path: Path) -> dict[str, Any]:
  try:
    found = json.loads(path.read_text('utf-8'))
  except (ValueError, OSError) as error:
    raise ValueError(f'{str(path)!r} cannot be read: {error}') from error
  if not isinstance(found, dict):
    raise ValueError(f'{str(path)!r} is not a JSON object')
  return found


# --- checks -----------------------------------------------------------------


def _require_same_architecture(
  folder: Path, model: str, architecture: hugging_face.Architecture
) -> None:
  theirs = _json(folder / _CONFIG)
  if 'quantization_config' in theirs:
    raise ValueError(
      f'{str(folder)!r} has quantised weights, which are not supported: give'
      ' the unquantised checkpoint'
    )
  wrong = hugging_face_config.disagreements(theirs, architecture)
  if wrong:
    raise ValueError(
      f'{str(folder / _CONFIG)!r} is not of model {model!r}: in it'
      f' {"; ".join(wrong)}. Choose the model that the folder is of.'
    )


def _prefix(folder: Path, tensors: _Tensors) -> str:
  for prefix in _PREFIXES:
    if f'{prefix}embed_tokens.weight' in tensors.shapes:
      return prefix
  raise ValueError(
    f'{str(folder)!r} has no embed_tokens.weight with a prefix of'
    f' {", ".join(map(repr, _PREFIXES))}: it is not a Gemma 2 or 3'
  )


def _require_same_tensors(
  folder: Path,
  tensors: _Tensors,
  stored: Mapping[str, Stored],
  leaves: Mapping[str, jax.ShapeDtypeStruct],
) -> None:
  """Checks names and shapes; says what is left out."""
  wanted = {
    name: one.their_shape(leaves[ours].shape)
    for ours, one in stored.items()
    for name in one.tensors
  }
  (table,) = stored['embedder/input_embedding'].tensors
  names = set(tensors.shapes)
  heads = names.intersection(_HEADS)
  others = {n for n in names - set(wanted) if _OTHER_MODALITIES.match(n)}
  wrong = [f'{n} is missing' for n in sorted(set(wanted) - names)]
  wrong += [
    f'{n} is unexpected' for n in sorted(names - set(wanted) - others - heads)
  ]
  for name in sorted(names & set(wanted)):
    found, shape = tensors.shapes[name], wanted[name]
    fits = found[1:] == shape[1:] and found[0] >= shape[0]
    if found != shape and not (name == table and fits):
      wrong.append(f'{name} is {list(found)}, expected {list(shape)}')
  for head in sorted(heads):
    if not _is_same(tensors, head, table):
      wrong.append(
        f'{head} differs from {table}, which is the output head here'
      )
  if any('lora_' in name for name in names):
    wrong.insert(0, 'it has LoRA adapters, which must be merged first')
  if wrong:
    more = f'; and {len(wrong) - 5} more' if len(wrong) > 5 else ''
    raise ValueError(
      f'the weights of {str(folder)!r} cannot be used: {"; ".join(wrong[:5])}'
      f'{more}'
    )
  if others:
    print(
      f'leaving out {len(others)} tensors of {folder} for images and sound',
      flush=True,
    )


def _is_same(tensors: _Tensors, one: str, other: str) -> bool:
  """Compares two matrices in blocks of rows."""
  rows, width = tensors.shapes[other]
  if tensors.shapes[one] != (rows, width):
    return False
  return all(
    np.array_equal(tensors.read(one, block), tensors.read(other, block))
    for start in range(0, rows, _BLOCK)
    for block in [(slice(start, min(start + _BLOCK, rows)), slice(0, width))]
  )


# --- writing ----------------------------------------------------------------


def write(
  folder: Path,
  params: Params,
  architecture: hugging_face.Architecture,
  *,
  positions: int,
  stops: Sequence[int],
  file_bytes: int = _FILE,
) -> None:
  """Writes weights and configuration, as transformers reads them.

  Args:
    folder: an existing directory.
    params: our parameters.
    architecture: the architecture; its table has as many rows as `params`.
    positions: tokens of the longest rows that the model was trained on.
    stops: ids that end a generated text.
    file_bytes: start a new file after so many bytes of weights.
  """
  settings = hugging_face_config.settings(architecture)
  ids = {'bos_token_id': 2, 'eos_token_id': list(stops), 'pad_token_id': 0}
  table = params['embedder']['input_embedding']
  _write_json(
    folder / _CONFIG,
    settings
    | hugging_face_config.in_older_words(settings)
    | ids
    | {
      'architectures': [hugging_face_config.CLASSES[settings['model_type']]],
      'dtype': str(table.dtype),
      'max_position_embeddings': positions,
    },
  )
  _write_json(folder / 'generation_config.json', ids)
  _write_weights(folder, params, architecture, file_bytes)


def _write_weights(
  folder: Path,
  params: Params,
  architecture: hugging_face.Architecture,
  file_bytes: int,
) -> None:
  """One file at a time; its tensors are all that is in memory."""
  count = len(list(_parts(_sizes(params, architecture), file_bytes)))
  tensors = hugging_face.tensors(params, architecture)
  file_of: dict[str, str] = {}
  for number, names in enumerate(
    _parts(_sizes(params, architecture), file_bytes)
  ):
    file = f'model-{number + 1:05d}-of-{count:05d}.safetensors'
    if count == 1:
      file = _SINGLE
    part = dict(itertools.islice(tensors, len(names)))
    assert list(part) == names
    # transformers reads no file without this.
    safetensors.numpy.save_file(part, folder / file, {'format': 'pt'})
    file_of |= dict.fromkeys(part, file)
    del part
  if count > 1:
    total = sum(leaf.nbytes for leaf in jax.tree.leaves(params))
    _write_json(
      folder / INDEX,
      {'metadata': {'total_size': total}, 'weight_map': file_of},
    )


def _sizes(
  params: Params, architecture: hugging_face.Architecture
) -> Iterator[tuple[str, int]]:
  """The bytes of each tensor, in the order of `hugging_face.tensors`."""
  for keys, leaf in jax.tree_util.tree_leaves_with_path(params):
    names = hugging_face.stored(parameters.path_of(keys), architecture).tensors
    for name in names:
      yield f'model.{name}.weight', leaf.nbytes // len(names)


def _parts(
  sizes: Iterable[tuple[str, int]], file_bytes: int
) -> Iterator[list[str]]:
  """Names of tensors, as many at a time as fit into a file."""
  names: list[str] = []
  held = 0
  for name, size in sizes:
    if names and held + size > file_bytes:
      yield names
      names, held = [], 0
    names, held = [*names, name], held + size
  yield names


def _write_json(path: Path, value: Any) -> None:
  path.write_text(json.dumps(value, indent=2, sort_keys=True) + '\n', 'utf-8')
