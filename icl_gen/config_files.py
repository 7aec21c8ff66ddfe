"""Loads a config file and checks the overrides of its keys.

A mistake is a ValueError that says what is allowed, where Python or
ml_collections would end in a traceback.
"""

import difflib
import importlib.util
import os
import pathlib
import re
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import ml_collections


def load(given: str) -> ml_collections.ConfigDict:
  """Returns the config that `path[:variants]` stands for, without overrides.

  Raises:
    ValueError: there is no such file, it is not a config, or it fails; names
      the line.
  """
  path, *variants = given.split(':', 1)
  if not os.path.isfile(path):
    others = sorted(str(p) for p in pathlib.Path('configs').glob('*.py'))
    raise ValueError(
      f'no config file {path!r}{nearest(path, others)}; there are:'
      f' {", ".join(others) or "none under ./configs"}'
    )
  spec = importlib.util.spec_from_file_location('config_config', path)
  if spec is None or spec.loader is None:
    raise ValueError(f'config file {path!r} is not a Python file (*.py)')
  module = importlib.util.module_from_spec(spec)
  try:
    spec.loader.exec_module(module)
    if not hasattr(module, 'get_config'):
      raise ValueError(
        f'{path!r} has no get_config; experiments are the files that have one'
      )
    return module.get_config(*variants)
  except SyntaxError as error:
    where = f'{error.filename}, line {error.lineno}'
    raise ValueError(f'{where}: {error.msg}') from error
  except (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    TypeError,
  ) as error:
    raise ValueError(
      f'{path}, line {_line(error, path)}: {type(error).__name__}: {error}'
    ) from error


def _line(error: Exception, path: str) -> int | None:
  """The last line of a file that an error passed through."""
  frames = traceback.extract_tb(error.__traceback__)
  own = os.path.realpath(path)
  lines = [f.lineno for f in frames if os.path.realpath(f.filename) == own]
  return lines[-1] if lines else frames[-1].lineno


def check_keys(
  config: ml_collections.ConfigDict, argv: Sequence[str], *, path: str
) -> None:
  """Checks that overrides are of keys that a config has.

  Args:
    config: as its file gives it.
    argv: the command line.
    path: of the file, for messages.

  Raises:
    ValueError: one is of another key.
  """
  for arg in argv[1:]:
    if arg == '--':
      return
    override = re.match(r'--?(?:no)?config\.([^=]+)', arg)
    if override:
      _check_key(config, override[1], path=path)


def _check_key(
  config: ml_collections.ConfigDict, key: str, *, path: str
) -> None:
  block, above = config, ''
  for name in re.sub(r'\[.*?\]', '', key).split('.'):
    if not isinstance(block, ml_collections.ConfigDict) or name not in block:
      raise ValueError(
        f'{path} has no key {key!r}{nearest(key, _leaves(config))};'
        f' {_allowed(block, above)}'
      )
    block, above = block[name], f'{above}.{name}'.lstrip('.')
  if isinstance(block, ml_collections.ConfigDict):
    raise ValueError(
      f'{key!r} is a block of keys; set one of them:'
      f' {", ".join(f"{key}.{name}" for name in sorted(block))}'
    )


def _allowed(block: Any, above: str) -> str:
  """What a config has under a dotted key, for a message."""
  if not isinstance(block, ml_collections.ConfigDict):
    return f'{above!r} is a value, not a block of keys'
  what = f'keys of {above!r}' if above else 'keys'
  return f'{what}: {", ".join(sorted(block))}'


def _leaves(
  config: ml_collections.ConfigDict, above: str = ''
) -> Iterator[str]:
  """Dotted names of all keys that hold values."""
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      yield from _leaves(value, f'{above}{name}.')
    else:
      yield above + name


def nearest(word: str, words: Iterable[str]) -> str:
  """Returns ' (did you mean ...?)', or '' if no word is like the given one."""
  near = difflib.get_close_matches(word, list(words), n=3, cutoff=0.6)
  return f' (did you mean {" or ".join(map(repr, near))}?)' if near else ''
