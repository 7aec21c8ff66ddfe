"""The digests of a report's files, in the format of `sha256sum`."""

import hashlib
from collections.abc import Mapping

# Lists every other file of a report: `sha256sum --check SHA256SUMS`.
NAME = 'SHA256SUMS'


def text(files: Mapping[str, bytes]) -> str:
  """Returns the content of `NAME`.

  Args:
    files: name -> content of the other files.
  """
  lines = [
    f'{hashlib.sha256(data).hexdigest()}  {name}\n'
    for name, data in sorted(files.items())
  ]
  return ''.join(lines)
