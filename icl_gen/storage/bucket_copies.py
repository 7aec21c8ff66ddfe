"""Copies a workdir from a bucket to a local directory, and back.

In the bucket, a file is an object. A directory that is complete or absent as a
whole (`_DIRECTORIES`) is an object for each file and then, written last, its
marker `<directory>.complete.json` with their digests: a directory without one
does not exist. What is large is copied when it is needed; until then, it is a
local directory with nothing but the marker in it (`STUB`).
"""

import contextlib
import dataclasses
import logging
import pathlib
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from icl_gen.storage import checksums, files, partials
from icl_gen.storage.bucket_locks import Held
from icl_gen.storage.objects import Objects

MARKER = '.complete.json'

# Directories that exist as a whole, each with the '/' after it.
_DIRECTORIES = re.compile(
  r'(?:.*?/)??(?:(?:corpora|exports)/[^/]+(?<!\.settings)'
  r'|params|adapters|report|checkpoints/\d+)/'
)
# Those that are copied when they are needed.
_LARGE = re.compile(r'(?:.*/)?(?:params|adapters|checkpoints/\d+)')
STUB = '.in_bucket.json'
_LOCK = re.compile(r'(?:.*/)?\.[^/]*\.lock')
_COPIED_EVERY = 10.0
# How often a directory is read that is being replaced.
_TRIES = 5

_log = logging.getLogger(__name__)

# The paths there are, in the order in which the bucket gets them.
Contents = Callable[[], Sequence[pathlib.Path]]


@dataclasses.dataclass(frozen=True)
class _Seen:
  """What is in the bucket and here alike.

  Attributes:
    generation: of the object; of a directory, of its marker.
    state: of the local file or directory.
  """

  generation: bytes
  state: Any


class BucketCopy:
  """A local directory, and what of a bucket is copied to it and back."""

  def __init__(self, root: pathlib.Path, url: str) -> None:
    """Opens a copy that has nothing yet.

    Raises:
      ValueError: as for `Objects`.
    """
    self.root, self.url = root, url.rstrip('/')
    self.objects = Objects(url)
    self._seen: dict[str, _Seen] = {}
    self._turn = threading.RLock()  # of the threads of this process
    self._kept: list[Callable[[], None]] = []  # what `kept_in_step` does

  def name(self, path: pathlib.Path) -> str:
    """The name of the object, or the directory, that a path is for."""
    return path.relative_to(self.root).as_posix()

  def address(self, path: pathlib.Path) -> str:
    """The URL of what a path is for."""
    return f'{self.url}/{self.name(path)}'

  def pull(
    self, under: str = '', *, known: str = '', tolerant: bool = False
  ) -> None:
    """Makes what is here what the bucket has; of large directories, stubs.

    Args:
      under: the beginning of names, of what is copied.
      known: as for `Objects.names`.
      tolerant: whether directories that are damaged stay stubs.

    Raises:
      OSError: there is no answer.
      ValueError: something in the bucket is damaged.
    """
    with self._turn:
      wanted = _wanted(self.objects.names(under, known=known))
      for name in [one for one in self._seen if one.startswith(under)]:
        if name not in wanted:
          partials.remove(self.root / name)
          del self._seen[name]
      known_by_key = {
        wanted[name]: seen.generation
        for name, seen in self._seen.items()
        if name in wanted
      }
      found = self.objects.read_all(list(wanted.values()), seen=known_by_key)
      for name, key in wanted.items():
        content = found[key].content if key in found else None
        if content is None:  # unchanged, or gone
          continue
        generation, path = found[key].generation, self.root / name
        if key != name:
          self._put_stub(path, content)
          if not _LARGE.fullmatch(name):
            self.damage(path) if tolerant else self.fetch(path)
        else:
          path.parent.mkdir(parents=True, exist_ok=True)
          path.write_bytes(content)
        self._seen[name] = _Seen(generation, _state(path))

  def fetch(self, path: pathlib.Path) -> None:
    """Copies a directory of which there is a stub only.

    Raises:
      OSError: there is no answer, or the disk is full.
      ValueError: the directory in the bucket is damaged.
    """
    if why := self.damage(path):
      raise ValueError(
        f'{self.address(path)} is damaged: {why}; delete it and'
        f' {path.name}{MARKER} (`gcloud storage rm --recursive`), and re-run'
        ' the command that wrote it'
      )

  def damage(self, path: pathlib.Path) -> str:
    """Copies a directory as `fetch` does, unless it is damaged.

    Returns:
      what is wrong with it; '' if nothing.

    Raises:
      OSError: there is no answer, or the disk is full.
    """
    why = ''
    with self._turn:
      for _ in range(_TRIES):
        if not (path / STUB).exists():
          return ''
        why = self._copy(path)
        if not why:
          self._note(path)
          return ''
        self._look_again(path)
    return why

  def release(self, directory: pathlib.Path) -> None:
    """Makes stubs of the large directories in a directory again.

    Raises:
      OSError: there is no answer.
    """
    with self._turn:
      for name in self._seen:
        path = self.root / name
        is_copied = _LARGE.fullmatch(name) and not (path / STUB).exists()
        if is_copied and path.is_relative_to(directory):
          self._look_again(path)
          self._note(path)

  def push(
    self, paths: Sequence[pathlib.Path], *, held: Held | None = None
  ) -> None:
    """Copies files and directories to the bucket, if they have changed.

    Args:
      paths: in the order in which they are written.
      held: a lock, without which nothing may be written.

    Raises:
      OSError: there is no answer, it may not be written, or the lock is lost.
    """
    for path in paths:
      with self._turn:
        _require(held)
        # A log may be renamed, and an old training state deleted, meanwhile.
        with contextlib.suppress(FileNotFoundError):
          if path.is_dir():
            self._push_directory(path, held)
          else:
            self._push_file(path)

  def drop(self, paths: Collection[pathlib.Path]) -> None:
    """Deletes what is no longer here from the bucket."""
    for name in map(self.name, paths):
      with self._turn:
        if _is_directory(name):
          self._drop_directory(name)
        else:
          self.objects.delete([name])
        self._seen.pop(name, None)

  @contextlib.contextmanager
  def kept_in_step(
    self, contents: Contents, *, held: Held | None = None
  ) -> Iterator[None]:
    """Copies what changes to the bucket, during the block and after it.

    Args:
      contents: what there is now; what is no longer, is deleted there too.
      held: as for `push`.

    Raises:
      OSError: after the block, something could not be copied.
    """
    before, done = set(contents()), threading.Event()
    turn = threading.Lock()

    def copy() -> None:
      nonlocal before
      with turn:
        now = contents()
        # Old training states are deleted once there are new ones.
        self.push(now, held=held)
        _require(held)
        self.drop(before - set(now))
        before = set(now)

    def go_on() -> None:
      while not done.wait(_COPIED_EVERY):
        try:
          copy()
        except OSError as error:
          _log.warning('%s; it is tried again', error)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    is_done = False
    self._kept.append(copy)
    try:
      yield
      is_done = True
    finally:
      self._kept.remove(copy)
      done.set()
      thread.join()
      try:
        copy()
      except OSError as error:
        if is_done:
          raise
        # What ended the block is to be told.
        _log.warning('%s; what was made last is not there', error)

  def keep_up(self) -> None:
    """Does now what `kept_in_step` does every few seconds."""
    for copy in list(self._kept):
      try:
        copy()
      except OSError as error:
        _log.warning('%s; it is tried again', error)

  def _put_stub(self, path: pathlib.Path, marker: bytes) -> None:
    partials.remove(path)
    path.mkdir(parents=True)
    (path / STUB).write_bytes(marker)

  def _look_again(self, path: pathlib.Path) -> None:
    """Reads a marker again, as its directory may have been replaced."""
    found = self.objects.read(self.name(path) + MARKER)
    if found.content is not None:
      self._put_stub(path, found.content)

  def _copy(self, path: pathlib.Path) -> str:
    """Copies a directory in place of its stub; what is wrong, '' if nothing."""
    name = self.name(path)
    try:
      listed = files.read_sealed_json(path / STUB)
    except ValueError:
      return f'{path.name}{MARKER} does not have its digest'
    stated: dict[str, tuple[str, int]] = listed['files']
    _require_inside(stated)
    with partials.private(path.parent) as private:
      partial = private / path.name
      partial.mkdir()
      for inner in stated:
        (partial / inner).parent.mkdir(parents=True, exist_ok=True)
      digests = self.objects.download(
        {f'{name}/{inner}': partial / inner for inner in stated},
        {f'{name}/{inner}': size for inner, (_, size) in stated.items()},
      )
      for inner, (digest, _) in stated.items():
        if digests[f'{name}/{inner}'] != digest:
          return f'{inner} is not what {path.name}{MARKER} states, or missing'
      partials.remove(path)
      partial.rename(path)
    return ''

  def _note(self, path: pathlib.Path) -> None:
    seen = self._seen.get(self.name(path))
    if seen is not None:
      self._seen[self.name(path)] = _Seen(seen.generation, _state(path))

  def _push_file(self, path: pathlib.Path) -> None:
    name, state = self.name(path), _state(path)
    if inside := _DIRECTORIES.match(name):
      raise ValueError(
        f'{path}: in a bucket, {inside[0]} is the name of a directory that is'
        ' complete or absent; give another --config.name'
      )
    if name not in self._seen or self._seen[name].state != state:
      generation = self.objects.write(name, path.read_bytes())
      self._seen[name] = _Seen(generation, state)

  def _push_directory(self, path: pathlib.Path, held: Held | None) -> None:
    name, state = self.name(path), _state(path)
    if name in self._seen and self._seen[name].state == state:
      return
    assert _is_directory(name), name
    self._drop_directory(name)
    self._seen.pop(name, None)
    inner = [one for one in sorted(path.rglob('*')) if one.is_file()]
    names = {one: one.relative_to(path).as_posix() for one in inner}
    fingerprint = checksums.fingerprint(path)
    sizes = {names[one]: one.stat().st_size for one in inner}
    digests = self.objects.upload(
      {f'{name}/{names[one]}': one for one in inner}
    )
    stated = {
      one: (digests[f'{name}/{one}'], size) for one, size in sizes.items()
    }
    _require(held)
    if _state(path) != state:
      return  # it is being deleted, or replaced
    marker = files.sealed_json({'files': stated, 'fingerprint': fingerprint})
    generation = self.objects.write(name + MARKER, marker)
    self._seen[name] = _Seen(generation, state)

  def _drop_directory(self, name: str) -> None:
    # The marker first: from then on, the directory does not exist.
    self.objects.delete([name + MARKER])
    self.objects.delete(self.objects.names(f'{name}/'))


def _require(held: Held | None) -> None:
  """Checks that a lock is held, if there is one.

  Raises:
    OSError: it is lost.
  """
  if held is not None and held.is_lost:
    raise OSError(
      'the lock was lost to another process; nothing more is written'
    )


def _is_directory(name: str) -> bool:
  return bool(_DIRECTORIES.fullmatch(f'{name}/'))


def _require_inside(names: Collection[str]) -> None:
  """Checks that nothing is written outside the copy.

  Raises:
    ValueError: a name is not that of a file in it.
  """
  for name in names:
    if {'', '.', '..'} & set(name.split('/')):
      raise ValueError(
        f'{name!r} in a bucket cannot be copied to a file of that name: delete'
        ' or rename the object'
      )


def _wanted(there: Sequence[str]) -> dict[str, str]:
  """Files and directories in a bucket, and the objects that vouch for them."""
  _require_inside(there)
  inside: set[str] = set()
  found = {}
  for name in there:
    if match := _DIRECTORIES.match(name):
      inside.add(match[0].removesuffix('/'))
    elif name.endswith(MARKER) and _is_directory(name.removesuffix(MARKER)):
      found[name.removesuffix(MARKER)] = name
    elif not _LOCK.fullmatch(name):
      found[name] = name
  # Somebody may have deleted a directory and left its marker.
  return {
    name: key for name, key in found.items() if key == name or name in inside
  }


def _state(path: pathlib.Path) -> Any:
  """What changes if a file or directory is written."""
  if not path.is_dir():
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino
  return {one: _state(one) for one in path.rglob('*') if one.is_file()}
