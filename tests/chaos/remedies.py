"""Does what a message tells the user to do."""

import dataclasses
import pathlib
import re
import shlex
import shutil

# How lines of `study --verify` end.
_COMMAND = '; to repair: rm -rf '
_DOOR = re.compile(r'icl_gen\.([a-z]+)')
_DELETE = re.compile(
  r'[Dd]elete (?P<what>.*?)(?= and (?:run|re-run|build)\b|$)'
)


@dataclasses.dataclass(frozen=True)
class Remedy:
  """What a message asks for.

  Attributes:
    delete: paths.
    line: (file, number of a line to delete), or None.
    doors: names of doors to run.
  """

  delete: tuple[pathlib.Path, ...]
  line: tuple[pathlib.Path, int] | None
  doors: tuple[str, ...]


def read(message, root):
  """The remedy in a message.

  Args:
    message: one line.
    root: the directory that its paths are in.
  """
  _, is_command, command = message.rpartition(_COMMAND)
  if is_command:
    return Remedy(tuple(map(pathlib.Path, shlex.split(command))), None, ())
  subject = next(iter(paths(message, root)), None)
  found = _DELETE.search(message)
  what = found['what'] if found else ''
  line = None
  named = paths(what, root)
  if what.startswith('the line') and subject:
    number = re.search(r', line (\d+)', message)
    line = (subject, int(number[1])) if number else None
    named = []
  elif subject and re.match(r'(it|this one)\b|that directory', what):
    named.insert(0, subject)
  elif subject and re.match(r'the (directory|corpus)', what):
    named.insert(0, _directory(subject, root))
  doors = _DOOR.findall(message)
  return Remedy(tuple(dict.fromkeys(named)), line, tuple(doors))


def delete(remedy):
  """Deletes what a remedy names; returns it in words."""
  done = []
  if remedy.line:
    path, number = remedy.line
    lines = path.read_bytes().split(b'\n')
    del lines[number - 1 : number]
    path.write_bytes(b'\n'.join(lines))
    done.append(f'line {number} of {path}')
  for path in remedy.delete:
    if path.is_dir() and not path.is_symlink():
      shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
      path.unlink()
    done.append(str(path))
  return done


def paths(text, root):
  """The paths in a text that are in a directory."""
  marked = re.findall(re.escape(str(root)) + r'[^\s\'",;:()]*', text)
  return [pathlib.Path(path.rstrip('.')) for path in marked]


def _directory(path, root):
  """The corpus (or what else is in a room of its own) that a path is in."""
  inner = path.relative_to(root).parts
  if inner[:1] in (('corpora',), ('exports',)):
    return root.joinpath(*inner[:2])
  return path if path.is_dir() else path.parent
