"""The objects of a bucket: read, listed, and written on a condition.

Buckets have neither folders nor renames, and an object is replaced as a whole.
What makes more of that possible is the *generation* of an object, a mark that
changes whenever it is written: a write can be refused unless the object still
has the generation that its writer saw, or unless there is none.

tensorstore reads and writes them, with which orbax comes.
"""

import concurrent.futures
import dataclasses
import hashlib
import pathlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

SCHEME = 'gs://'

# Of a large file, so many bytes are in memory at once, for each that is read.
_CHUNK = 64 * 2**20
# Files that are read or written at the same time; written ones are in memory.
_READERS, _WRITERS = 8, 4
# Of objects that are read whole.
_AT_ONCE = 64
# About a quarter of a minute in all, then the command ends.
_RETRIES = {'max_retries': 6, 'initial_delay': '0.2s', 'max_delay': '8s'}

# The state of an object that was to be read only if it had changed.
_UNCHANGED = 'unspecified'

_REMEDIES = {
  'Could not resolve': 'check the network',
  'Could not connect': 'check the network',
  'PERMISSION_DENIED': (
    'you need the role Storage Object User; to log in, run `gcloud auth'
    ' application-default login` or set GOOGLE_APPLICATION_CREDENTIALS'
  ),
  'UNAUTHENTICATED': (
    'to log in, run `gcloud auth application-default login` or set'
    ' GOOGLE_APPLICATION_CREDENTIALS'
  ),
  'NOT_FOUND': 'create the bucket, or correct its name',
}


@dataclasses.dataclass(frozen=True)
class Object:
  """What was found under a name.

  Attributes:
    content: None if there is no such object.
    generation: the condition under which it can be replaced; that of an object
      that is not there is a condition, too.
  """

  content: bytes | None
  generation: bytes


def is_url(path: str) -> bool:
  """Whether a path is meant for a bucket, or for something like it."""
  return re.match('[a-z][a-z0-9+.-]*://', path) is not None


class Objects:
  """The objects of a bucket whose names begin with a path."""

  def __init__(self, url: str) -> None:
    """Opens a bucket, without a request.

    Args:
      url: gs://BUCKET/PATH.

    Raises:
      ValueError: the URL is of something else.
    """
    import tensorstore  # a second, needed here only

    self.url = url.rstrip('/')
    bucket, _, path = self.url.removeprefix(SCHEME).partition('/')
    if not self.url.startswith(SCHEME) or not bucket:
      raise ValueError(
        f'{url!r}: of the places that have a URL, only gs://BUCKET/PATH is'
        ' known; give one, or a local directory'
      )
    spec = {
      'driver': 'gcs',
      'bucket': bucket,
      'path': f'{path}/' if path else '',
      'context': {'gcs_request_retries': _RETRIES},
    }
    self._range = tensorstore.KvStore.KeyRange
    self._store = self._done(tensorstore.KvStore.open(spec))

  def names(self, under: str = '', *, known: str = '') -> list[str]:
    """The names of all objects that begin with a prefix, sorted.

    Args:
      under: the prefix.
      known: the name of one that is there. tensorstore takes a listing that is
        refused for an empty one.

    Raises:
      OSError: there is no answer, or the known object is not listed.
    """
    # The last character of Unicode, as ranges exclude their end.
    every = self._range(under, f'{under}\U0010ffff' if under else '')
    found = sorted(
      name.decode() for name in self._done(self._store.list(every))
    )
    if known and known not in found:
      raise OSError(
        f'{self.url} cannot be listed; {_REMEDIES["PERMISSION_DENIED"]}'
      )
    return found

  def read(self, name: str) -> Object:
    """Reads an object, if there is one.

    Raises:
      OSError: there is no answer, or it may not be read.
    """
    return self._object(self._store.read(name))

  def read_all(
    self, names: Sequence[str], *, seen: Mapping[str, bytes] | None = None
  ) -> dict[str, Object]:
    """Reads several objects, as `read` does.

    Args:
      names: of the objects.
      seen: generations by name; objects that still have them are left out.
    """
    found: dict[str, Object] = {}
    for first in range(0, len(names), _AT_ONCE):
      some = names[first : first + _AT_ONCE]
      futures = [
        self._store.read(name, if_not_equal=(seen or {}).get(name))
        for name in some
      ]
      for name, future in zip(some, futures, strict=True):
        if self._done(future).state != _UNCHANGED:
          found[name] = self._object(future)
    return found

  def write(self, name: str, content: bytes) -> bytes:
    """Writes an object, replacing an older one; returns its generation.

    Raises:
      OSError: there is no answer, or it may not be written.
    """
    stamp = self._done(self._store.write(name, content))
    generation: bytes = stamp.generation
    return generation

  def write_if(
    self, name: str, content: bytes | None, generation: bytes
  ) -> bytes | None:
    """Writes, or deletes, an object unless it has changed.

    Args:
      name: of the object.
      content: None to delete it.
      generation: that it must still have.

    Returns:
      its new generation; None if it had another one.

    Raises:
      OSError: as for `write`.
    """
    stamp = self._done(self._store.write(name, content, if_equal=generation))
    return stamp.generation or None

  def delete(self, names: Collection[str]) -> None:
    """Deletes objects, those that are there.

    Raises:
      OSError: as for `write`.
    """
    for future in [self._store.write(name, None) for name in names]:
      self._done(future)

  def upload(self, files: Mapping[str, pathlib.Path]) -> dict[str, str]:
    """Writes files as objects.

    Args:
      files: by the name of the object.

    Returns:
      the SHA-256 of each, in hex.

    Raises:
      FileNotFoundError: a file is not there.
      OSError: as for `write`.
    """

    def one(name: str) -> str:
      content = files[name].read_bytes()
      self.write(name, content)
      return hashlib.sha256(content).hexdigest()

    with concurrent.futures.ThreadPoolExecutor(_WRITERS) as pool:
      return dict(zip(files, pool.map(one, files), strict=True))

  def download(
    self, files: Mapping[str, pathlib.Path], sizes: Mapping[str, int]
  ) -> dict[str, str]:
    """Reads objects into files; their directories exist.

    Args:
      files: by the name of the object.
      sizes: in bytes, of the objects.

    Returns:
      the SHA-256 of what was read, in hex; '' of an object that is not there.

    Raises:
      OSError: as for `read`, or the disk is full.
    """

    def one(name: str) -> str:
      digest = hashlib.sha256()
      with open(files[name], 'wb') as file:
        for first in range(0, max(1, sizes[name]), _CHUNK):
          part = slice(first, min(first + _CHUNK, sizes[name]))
          ranged = {'byte_range': part} if sizes[name] > _CHUNK else {}
          content = self._object(self._store.read(name, **ranged)).content
          if content is None:
            return ''
          digest.update(content)
          file.write(content)
      return digest.hexdigest()

    with concurrent.futures.ThreadPoolExecutor(_READERS) as pool:
      return dict(zip(files, pool.map(one, files), strict=True))

  def _object(self, future: Any) -> Object:
    found = self._done(future)
    is_there = found.state == 'value'
    return Object(found.value if is_there else None, found.stamp.generation)

  def _done(self, future: Any) -> Any:
    """Waits for an answer, noticing signals."""
    try:
      return future.result()
    except ValueError as error:
      told = ' '.join(str(error).split())
      for sign, remedy in _REMEDIES.items():
        if sign in told:
          told = f'{told.partition(" [http")[0]}; {remedy}'
          break
      raise OSError(f'{self.url}: {told}') from error
