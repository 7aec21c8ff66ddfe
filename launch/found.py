"""Whether other machines find the files that a study's flags name."""

import os
import pathlib

from launch.experiment import Flags


def require(
  given: Flags, *, who: str, copied: str, shared: pathlib.Path | None = None
) -> None:
  """Checks the config, and the folder of own documents.

  Args:
    given: flags of the study.
    who: the machines, for the message.
    copied: what they get of the working directory: a folder in it, or '.'.
    shared: a directory that they see under the same path; None: there is none.

  Raises:
    ValueError: a path is neither relative and in what they get, nor in the
      shared directory.
  """
  paths = {
    'config': given['config'].split(':')[0],
    'documents': given.get('documents', ''),
  }
  places = f'in {copied}/'
  if copied == '.':
    places = 'in the working directory, under relative paths'
  if shared:
    places += f', and those in {shared}'
  for flag, path in paths.items():
    if path and not _is_copied(path, copied) and not _is_in(path, shared):
      raise ValueError(
        f'--{flag}={path!r}: {who} find only the files {places}; put it there'
      )


def _is_copied(path: str, copied: str) -> bool:
  inside = os.path.normpath(path)
  if os.path.isabs(inside) or pathlib.Path(inside).parts[:1] == ('..',):
    return False
  return pathlib.Path(inside).is_relative_to(copied)


def _is_in(path: str, shared: pathlib.Path | None) -> bool:
  if shared is None:
    return False
  return pathlib.Path(os.path.normpath(path)).is_relative_to(shared)
