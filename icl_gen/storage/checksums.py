"""SHA-256 of files: whether they are still what was written."""

import hashlib
import os
import pathlib
from collections.abc import Iterable

from icl_gen.storage import files

# `fingerprint` reads directories up to this many bytes completely; in larger
# ones it reads this many bytes at either end of each file.
_READ_WHOLE = 64 * 2**20
_READ_OF_EACH = 64 * 2**10


def hashes(directory: files.Path, *, exclude: str = '') -> dict[str, str]:
  """Returns the SHA-256 of every file directly in a directory, by name.

  Args:
    directory: subdirectories are ignored.
    exclude: the name of a file to leave out.
  """
  return {
    path.name: hashlib.sha256(path.read_bytes()).hexdigest()
    for path in sorted(pathlib.Path(directory).iterdir())
    if path.is_file() and path.name != exclude
  }


def write(path: files.Path, names: Iterable[str]) -> None:
  """Writes the SHA-256 of files next to them, in the format of `sha256sum`.

  Args:
    path: the file to write.
    names: of the files, which exist.
  """
  text = _sums(pathlib.Path(path).parent, names)
  with files.atomic_write(path) as partial:
    partial.write_text(text, encoding='utf-8')


def differences(
  path: files.Path, names: Iterable[str]
) -> dict[pathlib.Path, str]:
  """Compares files with the sums that were written next to them.

  Args:
    path: the file with the sums.
    names: of the files that it must list.

  Returns:
    what is wrong, by file; {} if every byte is as it was, those of the sums
    included.
  """
  path = pathlib.Path(path)
  if not path.is_file():
    return {path: 'missing'}
  names = set(names)
  there = [name for name in names if (path.parent / name).is_file()]
  text, expected = path.read_bytes(), _sums(path.parent, there).encode()
  listed, now = _parsed(text), _parsed(expected)
  if unlisted := sorted(now.keys() - listed.keys()):
    return {path: f'damaged: it does not list {unlisted[0]}'}
  found = {
    path.parent / name: f'not what {path.name} states'
    if name in now
    else f'missing; it is listed in {path.name}'
    for name in sorted(names | listed.keys())
    if now.get(name) != listed.get(name) or name not in now
  }
  return found or ({} if text == expected else {path: 'damaged'})


def fingerprint(path: files.Path) -> str:
  """Returns a value that changes if a file or directory does.

  It is the SHA-256 of names, sizes and contents. Directories of more than
  64 MiB (model weights) would take long to read: of their larger files only
  the first and last 64 KiB count.

  Returns:
    16 hex digits; '' if the path does not exist.
  """
  path = pathlib.Path(path)
  if not path.exists():
    return ''
  found = sorted(path.rglob('*')) if path.is_dir() else [path]
  sizes = {file: file.stat().st_size for file in found if file.is_file()}
  is_large = sum(sizes.values()) > _READ_WHOLE
  digest = hashlib.sha256()
  for file, size in sizes.items():
    digest.update(f'{file.relative_to(path)}\0{size}\0'.encode())
    with open(file, 'rb') as opened:
      if is_large and size > 2 * _READ_OF_EACH:
        digest.update(opened.read(_READ_OF_EACH))
        opened.seek(-_READ_OF_EACH, os.SEEK_END)
      digest.update(opened.read())
  return digest.hexdigest()[:16]


def _sums(directory: pathlib.Path, names: Iterable[str]) -> str:
  lines = [
    f'{hashlib.sha256((directory / name).read_bytes()).hexdigest()}  {name}\n'
    for name in sorted(names)
  ]
  return ''.join(lines)


def _parsed(text: bytes) -> dict[str, str]:
  lines = text.decode(errors='replace').splitlines()
  return {line[66:]: line[:64] for line in lines}
