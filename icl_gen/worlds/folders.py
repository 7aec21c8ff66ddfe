"""Files of a folder that somebody else filled: regular ones, of that folder."""

import codecs
import os
import pathlib
import unicodedata


def has_file(folder: pathlib.Path, name: str) -> bool:
  """Whether a folder has a file of this name; nothing else may have it.

  Raises:
    ValueError: it is not a regular file (reading a pipe would never end), or a
      link that leads out of the folder.
  """
  file = folder / name
  if not os.path.lexists(file):
    return False
  if not file.is_file():
    raise ValueError(
      f'{file} is not a regular file (but a directory, a link to nothing or a'
      ' device); expected a file: replace it, or delete it'
    )
  require_inside(file, folder)
  return True


def require_inside(file: pathlib.Path, folder: pathlib.Path) -> None:
  """Refuses links that lead out of a folder, whoever put them there.

  In the cache of the Hugging Face hub, they may lead to its `blobs`.

  Raises:
    ValueError: the file is one.
  """
  target, inside = file.resolve(), folder.resolve()
  allowed = inside, *_blobs(inside)
  if not any(target.is_relative_to(place) for place in allowed):
    raise ValueError(
      f'{file} is a link that leads out of the folder, to {target}; expected'
      ' files of the folder itself: copy what it should have into it'
    )


def read_text(file: pathlib.Path) -> str:
  """Returns what a file says, `cleaned`.

  Raises:
    ValueError: it is not UTF-8.
  """
  try:
    text = file.read_bytes().removeprefix(codecs.BOM_UTF8).decode('utf-8')
  except UnicodeDecodeError as error:
    line = error.object[: error.start].count(b'\n') + 1
    raise ValueError(
      f'{file}, line {line} is not UTF-8 ({error.reason}); expected text in'
      ' UTF-8'
    ) from error
  return cleaned(text)


def cleaned(text: str) -> str:
  """Returns a text as others write it.

  Lines end in LF, a letter and its accent are one character, and there is no
  white space around the text.
  """
  text = text.replace('\r\n', '\n').replace('\r', '\n').strip()
  return unicodedata.normalize('NFC', text)


def _blobs(folder: pathlib.Path) -> list[pathlib.Path]:
  """Where the hub's cache keeps the contents of a folder's files, if it is one.

  A repository there has `snapshots/<commit>/...`, where every file is a link
  into `blobs/`.
  """
  return [
    snapshots.with_name('blobs')
    for snapshots in folder.parents
    if snapshots.name == 'snapshots'
  ]
