"""The keys of a config as --help shows them: value, comment, what is allowed.

The comments are read from the sources, so that nothing is said twice: those of
an experiment's settings from experiments.py, others from the config's own file,
and those of a world's size from the docstring of its function.
"""

import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from typing import Any

from icl_gen.runs import experiments
from icl_gen.runs.experiments import Experiment
from icl_gen.worlds import catalog

_WIDTH = 80
_INDENT = ' ' * 6
# Blocks with one entry per name that the user chose, whose keys are the same.
_NAMED = re.compile(r'^(experiments|stages)\.\w+\.')


def lines(values: Mapping[str, Any], source: str) -> Iterator[str]:
  """Yields the manual of a config.

  Args:
    values: `config.to_dict()`.
    source: text of the config's file.
  """
  told = _comments(source)
  shown: dict[str, list[str]] = {}
  for key, value in _flat(values):
    one = _NAMED.sub(r'\1.<name>.', key)
    shown.setdefault(one, [])
    if repr(value) not in shown[one]:
      shown[one].append(repr(value))
  sizes = _sizes(values)
  for key, found in shown.items():
    yield f'  {key} = {" | ".join(found)}'
    setting = key.removeprefix('experiments.<name>.')
    said = (
      told.get(key)
      or _OF_SETTINGS.get(setting)
      or sizes.get(setting)
      or told.get(setting.rpartition('.')[2])
      # What is said of a block, at its first key.
      or told.pop(setting.partition('.')[0], '')
    )
    if allowed := _allowed(setting):
      said = f'{said} Allowed: {allowed}.'.lstrip()
    yield from textwrap.wrap(
      said,
      _WIDTH,
      initial_indent=_INDENT,
      subsequent_indent=_INDENT,
      break_on_hyphens=False,
    )


def _allowed(key: str) -> str:
  if key == 'world':
    return ', '.join(catalog.WORLDS)
  return experiments.allowed(key)


def _flat(
  values: Mapping[str, Any], above: str = ''
) -> Iterator[tuple[str, Any]]:
  """Dotted keys and values; plain values before blocks."""
  for key, value in values.items():
    if not isinstance(value, Mapping):
      yield above + key, value
  for key, value in values.items():
    if isinstance(value, Mapping):
      yield from _flat(value, f'{above}{key}.')


def _comments(source: str) -> dict[str, str]:
  """Key -> the comment after its assignment, and on whole lines above it.

  An assignment is `config.a.b = ...` at the beginning of a line, or `b=...`
  among the arguments of a call.
  """
  found: dict[str, str] = {}
  above: list[str] = []
  after = _comments_by_line(source)
  for number, line in enumerate(source.splitlines(), start=1):
    comment = after.get(number, '')
    if comment and line.lstrip().startswith('#'):
      above.append(comment)
      continue
    key = re.match(r'\s+(?:config\.)?([\w.]+)(?:: [^=]+)?(?: = |=)', line)
    if key and (comment or above):
      text = ' '.join([*above, comment]).strip()
      found.setdefault(key[1], _sentence(text))
    above = []
  return found


def _comments_by_line(source: str) -> dict[int, str]:
  tokens = tokenize.generate_tokens(io.StringIO(source).readline)
  return {
    token.start[0]: token.string.lstrip('# ').strip()
    for token in tokens
    if token.type == tokenize.COMMENT
  }


def _sentence(text: str) -> str:
  return text[:1].upper() + text[1:].rstrip('.') + '.'


def _of_settings() -> dict[str, str]:
  """Key -> comment, of all settings of an experiment."""
  found = {}
  for block, kind in (('', Experiment), *experiments.BLOCKS.items()):
    source = inspect.getsource(kind)
    after = _comments_by_line(source)
    for number, line in enumerate(source.splitlines(), start=1):
      key = re.match(r'  (\w+): ', line)
      if key and number in after:
        name = f'{block}.{key[1]}'.lstrip('.')
        found[name] = _sentence(after[number])
  return found


_OF_SETTINGS = _of_settings()


def _sizes(values: Mapping[str, Any]) -> dict[str, str]:
  """'size.<key>' -> what the functions of the worlds say of it."""
  experiments_of = values.get('experiments', {'': values}).values()
  found: dict[str, dict[str, str]] = {}
  for world in dict.fromkeys(one.get('world') for one in experiments_of):
    if world in catalog.WORLDS:
      for key, said in _of_world(world):
        found.setdefault(f'size.{key}', {}).setdefault(said, world)
  return {
    key: ' '.join(
      # A key may mean another thing in another world.
      f'{said[:-1]} ({world}).' if len(every) > 1 else said
      for said, world in every.items()
    )
    for key, every in found.items()
  }


def _of_world(world: str) -> Iterator[tuple[str, str]]:
  text = inspect.getdoc(catalog.definition(world).build) or ''
  arguments = text.partition('Args:\n')[2].partition('\n\n')[0]
  for key, said in re.findall(
    r'^  (\w+): (.*(?:\n    .*)*)', arguments, re.MULTILINE
  ):
    yield key, _sentence(' '.join(said.split()))
