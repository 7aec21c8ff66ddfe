"""The code that other machines get: how it is packed, and what is in it."""

import hashlib
import pathlib
from collections.abc import Iterator, Sequence

from launch import plan

_LEFT_OUT = '__pycache__'


def command(paths: Sequence[str], archive: pathlib.Path) -> str:
  """The command that packs files and folders of the working directory."""
  return plan.shell(
    ['tar', '-czf', str(archive), f'--exclude={_LEFT_OUT}', *paths]
  )


def contents(paths: Sequence[str]) -> dict[str, str]:
  """Returns file -> SHA-256; equal contents are packed to other bytes."""
  return {
    str(file): hashlib.sha256(file.read_bytes()).hexdigest()
    for path in paths
    for file in _files(pathlib.Path(path))
  }


def _files(path: pathlib.Path) -> Iterator[pathlib.Path]:
  for file in (path, *path.rglob('*')):
    if file.is_file() and _LEFT_OUT not in file.parts:
      yield file
