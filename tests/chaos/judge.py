"""What a command, and a round, ended as."""

import re
import signal

IDENTICAL, REFUSED, FAILURE = 'identical', 'refused', 'failure'

_HINT = '(--debug shows where)'
MISTAKE, _DISK_FULL = 2, 3
_UNHANDLED = re.compile(
  r'Traceback \(most recent|Exception ignored|Fatal Python error|^\w*Error: ',
  re.MULTILINE,
)


class Failure(Exception):
  """A round in which something broke; the message says what."""


def ended(command):
  """How a command that nobody disturbed ended.

  Args:
    command: a `commands.Ended`.

  Returns:
    IDENTICAL if it says that it worked, REFUSED if it said why not.

  Raises:
    Failure: it did neither.
  """
  _require_no_traceback(command)
  if command.late:
    raise Failure(f'it had not ended after {command.seconds:.0f} s')
  if command.code == 0:
    return IDENTICAL
  if command.code not in (MISTAKE, _DISK_FULL):
    raise Failure(f'it ended with {command.code}')
  message(command)
  return REFUSED


def killed(command, signum):
  """Checks the end of a command that was sent a signal.

  It may have ended before; SIGTERM may be answered.

  Raises:
    Failure: it ended in another way.
  """
  allowed = {0, -signum}
  if signum == signal.SIGTERM:
    allowed.add(128 + signum)
    _require_no_traceback(command)
  if command.late:
    raise Failure(f'it had not ended after {command.seconds:.0f} s')
  if command.code not in allowed:
    raise Failure(f'it ended with {command.code}, not with {sorted(allowed)}')


def message(command):
  """The message of a command that refused, without 'error: '.

  Raises:
    Failure: it is not one line, with the hint at --debug.
  """
  lines = [line for line in command.stderr.split('\n') if line]
  fits = (
    len(lines) == 2 and lines[0].startswith('error: ') and lines[1] == _HINT
  )
  if not fits:
    raise Failure(f'its message is not one line: {command.stderr[:300]!r}')
  return lines[0].removeprefix('error: ')


def _require_no_traceback(command):
  found = _UNHANDLED.search(command.stderr) or _UNHANDLED.search(command.stdout)
  if found:
    raise Failure(f'it printed {found[0]!r}')
