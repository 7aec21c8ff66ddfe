"""Working copies: a local directory in front of a workdir in a bucket.

A command works in a local directory of its own. What the bucket has is copied
there; while a stage holds its lock, what it makes is copied to the bucket, its
result last. All else reads and writes local files, whatever --workdir is.

Of several processes of one run, each has a copy of its own. The first one works
as if it was alone; the others write nothing, and `follow` it through the
bucket.

Of a path that is in no working copy, every function here does what its namesake
for local files does, and nothing else.
"""

import contextlib
import os
import pathlib
import shlex
import tempfile
from collections.abc import Iterator, Sequence

from icl_gen import processes
from icl_gen.storage import bucket_locks, checksums, files, locks, partials
from icl_gen.storage.bucket_copies import STUB, BucketCopy, Contents

# The working copies of this process, by their local directory.
_copies: dict[pathlib.Path, BucketCopy] = {}


@contextlib.contextmanager
def opened(url: str, *, tolerant: bool = False) -> Iterator[pathlib.Path]:
  """A working copy of a bucket, for the block; all processes of a run call it.

  Args:
    url: gs://BUCKET/PATH.
    tolerant: whether damage is for the block to find, with `damage`.

  Yields:
    its directory, which has what the bucket has. It is in the directory for
    temporary files (TMPDIR), and removed after the block, or, after a kill, by
    the next command.

  Raises:
    OSError: the bucket cannot be read.
    ValueError: the URL is of something else, or something there is damaged.
  """
  with partials.private(_temporary()) as private:
    root = private / 'workdir'
    root.mkdir()
    copy = BucketCopy(root, url)
    # The first one decides, so nobody may know less.
    if processes.is_first():
      copy.pull(tolerant=tolerant)
    processes.barrier()
    if not processes.is_first():
      copy.pull(tolerant=tolerant)
    _copies[root] = copy
    try:
      yield root
    finally:
      del _copies[root]


def of(path: files.Path) -> BucketCopy | None:
  """The working copy that a path is in; None for any other path."""
  for root, copy in _copies.items():
    if pathlib.Path(path).is_relative_to(root):
      return copy
  return None


def is_apart(path: files.Path) -> bool:
  """Whether several processes are at work, each with its own copy of a path."""
  return processes.count() > 1 and of(path) is not None


def follow(path: files.Path) -> None:
  """Lets the other processes have what the first one has of a path.

  All of them call it. What the first one has made there since, it has copied to
  the bucket.

  Raises:
    OSError: as for `BucketCopy.pull`.
    ValueError: likewise.
  """
  copy = of(path)
  if copy is None or not is_apart(path):
    return
  processes.barrier()
  if not processes.is_first():
    copy.pull(copy.name(pathlib.Path(path)))
  processes.barrier()  # the first one may change it from now on


def share(path: files.Path) -> None:
  """Lets all processes have a file that the first one has written.

  Raises:
    OSError: as for `BucketCopy.push` and `BucketCopy.pull`.
  """
  if not is_apart(path):
    processes.barrier()
    return
  if processes.is_first():
    publish(path)
  follow(path)


def keep_up(path: files.Path) -> None:
  """Copies to the bucket at once what `guarded` copies from time to time."""
  if copy := of(path):
    copy.keep_up()


def fetch(path: files.Path) -> None:
  """Copies what is needed of a path from its bucket, if it is from one.

  Raises:
    OSError: as for `BucketCopy.fetch`.
    ValueError: likewise.
  """
  if copy := of(path):
    copy.fetch(pathlib.Path(path))


def damage(path: files.Path) -> str:
  """Copies what is needed of a path, as `fetch` does, unless it is damaged.

  Returns:
    what is wrong with what is in the bucket; '' if nothing, or if it is in
    none.

  Raises:
    OSError: as for `BucketCopy.damage`.
  """
  copy = of(path)
  return copy.damage(pathlib.Path(path)) if copy else ''


def release(directory: files.Path) -> None:
  """Frees the disk of what `fetch` has copied in a directory, if it has.

  Raises:
    OSError: as for `BucketCopy.release`.
  """
  if copy := of(directory):
    copy.release(pathlib.Path(directory))


def address(path: str) -> str:
  """A path as every process names it; one in a bucket by its URL there."""
  copy = of(path)
  return copy.address(pathlib.Path(path)) if copy else path


def deletion(paths: Sequence[pathlib.Path]) -> str:
  """The command that deletes files and directories, of one place."""
  copy = of(paths[0])
  if copy is None:
    return shlex.join(['rm', '-rf', *map(str, paths)])
  urls = map(copy.address, paths)
  return shlex.join(['gcloud', 'storage', 'rm', '--recursive', *urls])


def publish(path: files.Path) -> None:
  """Copies a file that was written to the bucket, if it belongs to one.

  Raises:
    OSError: as for `BucketCopy.push`.
  """
  if copy := of(path):
    copy.push([pathlib.Path(path)])


def refresh(path: files.Path) -> None:
  """Copies what other processes have written to the bucket of a path.

  Raises:
    OSError: as for `BucketCopy.pull`.
    ValueError: likewise.
  """
  if copy := of(path):
    copy.pull()


@contextlib.contextmanager
def kept(directory: pathlib.Path) -> Iterator[None]:
  """Copies the files in a directory to its bucket, if it is from one.

  During the block and after it; not those in directories in it.

  Raises:
    OSError: as for `BucketCopy.kept_in_step`.
  """
  copy = of(directory)
  if copy is None:
    yield
    return
  with copy.kept_in_step(
    lambda: [one for one in sorted(directory.glob('*')) if one.is_file()]
  ):
    yield


def require_local(path: files.Path, what: str, *, why: str = '') -> None:
  """Checks that a path is in no bucket.

  Args:
    path: in the workdir.
    what: needs this, for the message.
    why: it does, for the message.

  Raises:
    ValueError: it is.
  """
  if copy := of(path):
    because = f', because {why}' if why else ''
    raise ValueError(
      f'{what} works in a local directory only{because}: give one as --workdir,'
      f' and copy what it needs (`gcloud storage cp --recursive {copy.url}'
      ' DIRECTORY`)'
    )


def withdraw(path: files.Path) -> None:
  """Deletes what no longer exists from the bucket, if it was in one, at once.

  Raises:
    OSError: as for `BucketCopy.drop`.
  """
  if copy := of(path):
    copy.drop([pathlib.Path(path)])


def cache(directory: pathlib.Path) -> pathlib.Path:
  """A directory for what is not copied to a bucket, but outlives the copy."""
  return _temporary() / directory.name if of(directory) else directory


def fingerprint(path: files.Path) -> str:
  """`files.fingerprint`, also of a directory that is still in a bucket."""
  stub = pathlib.Path(path) / STUB
  if of(path) and stub.exists():
    found: str = files.read_sealed_json(stub)['fingerprint']
    return found
  return checksums.fingerprint(path)


@contextlib.contextmanager
def guarded(
  lock: pathlib.Path,
  *,
  what: str,
  contents: Contents,
  needed: Contents,
) -> Iterator[bool]:
  """Holds a lock during the block: `locks.held`, also for a bucket.

  There, what is in the directory of the lock is copied here before the block,
  and what the block makes is copied there, until the lock is released.

  Args:
    lock: its file.
    what: what is locked, for the line of who waits.
    contents: what the block makes; see `BucketCopy.kept_in_step`.
    needed: directories that the block needs whole, once all is copied.

  Yields:
    Whether the lock was free at once.

  Raises:
    OSError: the file cannot be written, its file system has no locks, or the
      bucket does not answer.
  """
  copy = of(lock)
  if copy is None:
    with locks.held(lock, what=what) as at_once:
      yield at_once
    return
  name = copy.name(lock)
  with bucket_locks.held(copy.objects, name, what=what) as held:
    under = name.removesuffix(lock.name).removesuffix('.settings/')
    copy.pull(under, known=name)
    for path in needed():
      copy.fetch(path)
    with (
      locks.held(lock, what=what),
      copy.kept_in_step(contents, held=held),
    ):
      yield held.at_once


def is_held(lock: pathlib.Path) -> bool:
  """Whether a process holds a lock: `locks.is_held`, also for a bucket."""
  return bool(holder(lock)) if of(lock) else locks.is_held(lock)


def holder(lock: pathlib.Path) -> str:
  """Who holds a lock, and since when: `locks.holder`, also for a bucket."""
  copy = of(lock)
  if copy is None:
    return locks.holder(lock)
  return bucket_locks.holder(copy.objects, copy.name(lock))


def _temporary() -> pathlib.Path:
  """The directory of this user's working copies.

  Raises:
    OSError: somebody else made it.
  """
  path = pathlib.Path(tempfile.gettempdir()) / f'icl_gen-{os.getuid()}'
  path.mkdir(mode=0o700, exist_ok=True)
  if path.stat().st_uid != os.getuid():
    raise OSError(f'{path} is not yours: give another directory as TMPDIR')
  return path
