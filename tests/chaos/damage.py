"""Damage to files, drawn at random."""

import os
import re
import shutil

# Parts of a name that say which one it is, not what it is.
_NUMBERS = re.compile(r'[0-9a-f]{16,}|\d+')


def by_sort(root, *, leave_out=('compiled',)):
  """The files under a directory, by what they are.

  Files in one place of every cell, and files whose names differ in numbers, are
  of one sort, so that a draw of a sort is not mostly one of weights.

  Args:
    root: the directory.
    leave_out: names of directories in it.
  """
  sorts = {}
  for path in sorted(root.rglob('*')):
    inner = path.relative_to(root)
    if path.is_symlink() or not path.is_file() or inner.parts[0] in leave_out:
      continue
    sort = _NUMBERS.sub('#', inner.as_posix())
    sort = re.sub(r'reversal-(pretrained|icl|ft_aug|ft)-', 'cell-', sort)
    sorts.setdefault(sort, []).append(path)
  return sorts


def harm(rng, path):
  """Damages a file; returns what was done, in words."""
  kinds = [*_ANY]
  if path.suffix == '.jsonl' and path.read_bytes().count(b'\n') > 1:
    kinds += [*_LINES] * 2
  if path.stat().st_size == 0:
    kinds = ['deleted', 'replaced by a directory', 'appended to']
  elif path.suffix in ('.json', '.jsonl', '.csv', '.md', '.html', '.js'):
    kinds.append('one digit changed')
  kind = rng.choice(kinds)
  before = path.read_bytes()
  (_ANY | _LINES | _TEXT)[kind](rng, path)
  same = path.is_file() and path.read_bytes() == before
  return f'{path}: {kind}' + (' (no change)' if same else '')


def swap(rng, one, other):
  """Swaps two files; returns what was done, in words."""
  kept = one.read_bytes()
  same = ' (no change)' if kept == other.read_bytes() else ''
  one.write_bytes(other.read_bytes())
  other.write_bytes(kept)
  return f'{one}: swapped with {other}{same}'


def _flip(rng, path):
  content = bytearray(path.read_bytes())
  content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
  path.write_bytes(content)


def _overwrite(rng, path):
  content = bytearray(path.read_bytes())
  start = rng.randrange(len(content))
  run = rng.randrange(1, 65)
  content[start : start + run] = rng.randbytes(
    len(content[start : start + run])
  )
  path.write_bytes(content)


def _zero(rng, path):
  content = bytearray(path.read_bytes())
  start = rng.randrange(len(content))
  content[start:] = bytes(len(content) - start)
  path.write_bytes(content)


def _truncate(rng, path):
  os.truncate(path, rng.randrange(path.stat().st_size))


def _empty(rng, path):
  del rng
  os.truncate(path, 0)


def _delete(rng, path):
  del rng
  path.unlink()


def _append(rng, path):
  with open(path, 'ab') as file:
    file.write(rng.randbytes(rng.randrange(1, 40)))


def _replace(rng, path):
  path.unlink()
  path.mkdir()
  if rng.random() < 0.5:
    (path / 'something').write_text('else')


def _digit(rng, path):
  content = bytearray(path.read_bytes())
  places = [i for i, byte in enumerate(content) if chr(byte).isdigit()]
  if places:
    place = rng.choice(places)
    others = [d for d in b'123456789' if d != content[place]]
    content[place] = rng.choice(others)
    path.write_bytes(content)


def _lines(change):
  def on_file(rng, path):
    lines = path.read_bytes().splitlines(keepends=True)
    change(rng, lines)
    path.write_bytes(b''.join(lines))

  return on_file


def _double(rng, lines):
  lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))


def _drop(rng, lines):
  del lines[rng.randrange(len(lines))]


def _exchange(rng, lines):
  i, j = rng.sample(range(len(lines)), 2)
  lines[i], lines[j] = lines[j], lines[i]


def _emptied_line(rng, lines):
  lines[rng.randrange(len(lines))] = rng.choice([b'\n', b'{}\n', b'[]\n'])


_ANY = {
  'one bit flipped': _flip,
  'some bytes overwritten': _overwrite,
  'zeros to its end': _zero,
  'truncated': _truncate,
  'emptied': _empty,
  'deleted': _delete,
  'appended to': _append,
  'replaced by a directory': _replace,
}
_TEXT = {'one digit changed': _digit}
_LINES = {
  'a line doubled': _lines(_double),
  'a line dropped': _lines(_drop),
  'two lines exchanged': _lines(_exchange),
  'a line emptied': _lines(_emptied_line),
}


def remove(path):
  """Deletes a file or a directory, if there is one."""
  if path.is_dir() and not path.is_symlink():
    shutil.rmtree(path)
  else:
    path.unlink(missing_ok=True)


def restore(path, original):
  """Puts a file or a directory back as it was."""
  remove(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  if original.is_dir():
    shutil.copytree(original, path)
  else:
    shutil.copy2(original, path)
