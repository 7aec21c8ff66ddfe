"""What --workdir names: a local directory, or a place in a bucket.

Of a bucket, a command sees a local copy (storage/working_copies.py); where it
prints a path in that copy, the user reads the place in the bucket.
"""

import contextlib
import io
import pathlib
import sys
from collections.abc import Iterator
from typing import TextIO

from icl_gen import processes
from icl_gen.storage import objects, working_copies

# Errors that have nothing but a message.
_PLAIN = (ValueError, OSError)


def require_shared(given: str) -> None:
  """Checks that all processes of a run work in the same place.

  Args:
    given: the flag; of a bucket, each process has a copy of its own.

  Raises:
    ValueError: they do not.
  """
  if not objects.is_url(given):
    processes.require_shared(_local(given))
    return
  first, *_ = processes.gathered(given)
  if given != first:
    raise ValueError(
      f'--workdir={given} of process {processes.index()} is not that of'
      f' process 0, {first}: give all of them the same one'
    )


@contextlib.contextmanager
def opened(given: str, *, tolerant: bool = False) -> Iterator[pathlib.Path]:
  """The directory to work in, for the block.

  Args:
    given: the flag.
    tolerant: whether damage in a bucket is for the block to find.

  Raises:
    OSError: a bucket cannot be read.
    ValueError: the flag has a URL of something else than a bucket.
  """
  if not objects.is_url(given):
    yield _local(given)
    return
  url = given.rstrip('/')
  with working_copies.opened(url, tolerant=tolerant) as root:
    out = _Translated(sys.stdout, str(root), url)
    error = _Translated(sys.stderr, str(root), url)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
      try:
        yield root
      except (ValueError, OSError) as found:
        if str(root) not in str(found) or type(found) not in _PLAIN:
          raise
        told = str(found).replace(str(root), url)
        raise type(found)(told) from found


def _local(given: str) -> pathlib.Path:
  return pathlib.Path(given).expanduser()


class _Translated(io.TextIOBase):
  """A stream in whose text a directory has another name."""

  def __init__(self, stream: TextIO, before: str, after: str) -> None:
    self._stream, self._before, self._after = stream, before, after

  def write(self, text: str) -> int:
    self._stream.write(text.replace(self._before, self._after))
    return len(text)

  def flush(self) -> None:
    self._stream.flush()

  def isatty(self) -> bool:
    return self._stream.isatty()

  def fileno(self) -> int:
    return self._stream.fileno()

  @property
  def encoding(self) -> str:  # type: ignore[override]
    return self._stream.encoding
