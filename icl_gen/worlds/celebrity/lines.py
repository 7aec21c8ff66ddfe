"""Reads the reversal-curse paper's files and recovers the people in them."""

import dataclasses
import itertools
import json
import pathlib
import re
from collections.abc import Mapping, Sequence

from icl_gen.text import sentences
from icl_gen.worlds import folders
from icl_gen.worlds.celebrity import people as persons

TRAINING = {
  'p2d': 'p2d_prompts_train.jsonl',
  'd2p': 'd2p_prompts_train.jsonl',
  'both': 'both_prompts_train.jsonl',
}
FORWARD = 'p2d_prompts_test.jsonl'
REVERSAL = 'p2d_reverse_prompts_test.jsonl'
FILES = (*TRAINING.values(), FORWARD, REVERSAL)

_EXPECTED = '{"prompt": "...", "completion": "..."}'


@dataclasses.dataclass(frozen=True)
class Line:
  """One line of a file; prompt + completion is its text."""

  file: str
  number: int
  prompt: str
  completion: str

  @property
  def text(self) -> str:
    """The whole sentence or sentences."""
    return self.prompt + self.completion

  @property
  def where(self) -> str:
    """'<file>, line <number>', for error messages."""
    return f'{self.file}, line {self.number}'


def read(folder: pathlib.Path) -> dict[str, tuple[Line, ...]]:
  """Reads all files of a folder: file name -> its lines.

  Raises:
    ValueError: a file is missing, empty or in the wrong format, or as
      `contents`.
  """
  return {name: _read(folder / name) for name in FILES}


def contents(path: pathlib.Path) -> bytes:
  """Reads the bytes of one file.

  Raises:
    ValueError: the file is missing, is not a regular file, or is a link that
      leads out of its folder.
  """
  if not folders.has_file(path.parent, path.name):
    raise ValueError(
      f'no file {path}; expected a folder with {", ".join(FILES)}'
    )
  return path.read_bytes()


def _read(path: pathlib.Path) -> tuple[Line, ...]:
  raw = contents(path)
  if not raw.strip():
    raise ValueError(f'{path} is empty; expected {_EXPECTED} on every line')
  return tuple(
    _parse(path, number, line)
    for number, line in enumerate(raw.rstrip(b'\n').split(b'\n'), start=1)
  )


def _parse(path: pathlib.Path, number: int, raw: bytes) -> Line:
  where = f'{path}, line {number}'
  try:
    row = json.loads(raw.decode('utf-8'))
  except (UnicodeDecodeError, json.JSONDecodeError) as error:
    raise ValueError(
      f'{where} is not JSON in UTF-8 ({error}); expected {_EXPECTED}'
    ) from error
  if not isinstance(row, dict) or set(row) != {'prompt', 'completion'}:
    found = sorted(row) if isinstance(row, dict) else type(row).__name__
    raise ValueError(f'{where} has {found}; expected {_EXPECTED}')
  for key, value in row.items():
    if not isinstance(value, str) or not value.strip():
      raise ValueError(
        f'{where} has {key!r}: {value!r}; expected text that is not empty'
      )
  return Line(path.name, number, row['prompt'], row['completion'])


# --- recovering the people ---------------------------------------------------


def recover(
  by_file: Mapping[str, Sequence[Line]],
) -> tuple[list[persons.Person], dict[Line, persons.Person]]:
  """Recovers all people, and the person each line is about.

  Args:
    by_file: the lines of all files, as `read` returns them.

  Raises:
    ValueError: a line names no person or several, or two people cannot be
      distinguished.
  """
  names = {
    'p2d': _names(by_file[REVERSAL]),
    'd2p': _names(by_file[TRAINING['d2p']]),
    'both': _names(by_file[TRAINING['both']]),
  }
  lines_of = _by_name(by_file, names)
  words = {
    name: [_words(line.text, name) for line in lines]
    for name, lines in lines_of.items()
  }
  grouped = [(group, name) for group in persons.GROUPS for name in names[group]]
  everyone = [
    persons.Person(key, group, name, _key_phrase(name, lines_of[name], words))
    for key, (group, name) in enumerate(grouped)
  ]
  of_line = {line: p for p in everyone for line in lines_of[p.name]}
  return everyone, of_line


def _names(lines: Sequence[Line]) -> list[str]:
  """Names are completions that start with a capital letter, except those that
  extend another name ('Ada Orr smiled' extends 'Ada Orr')."""
  starts = dict.fromkeys(
    line.completion.strip().rstrip('.,!?')
    for line in lines
    if line.completion.strip()[0].isupper()
  )
  names = [
    start
    for start in starts
    if not any(
      ' '.join(start.split()[:n]) in starts
      for n in range(1, start.count(' ') + 1)
    )
  ]
  if not names:
    raise ValueError(
      f'{lines[0].file} has no completion that starts with a capital letter;'
      ' expected completions that start with a name'
    )
  return names


def _by_name(
  by_file: Mapping[str, Sequence[Line]], names: Mapping[str, list[str]]
) -> dict[str, list[Line]]:
  """The lines about each person; every line must name exactly one."""
  everybody = list(itertools.chain.from_iterable(names.values()))
  twice = sorted({name for name in everybody if everybody.count(name) > 1})
  if twice:
    raise ValueError(
      f'{", ".join(twice)} in several of {", ".join(TRAINING.values())};'
      ' expected three groups without a person in common'
    )
  lines_of: dict[str, list[Line]] = {}
  for group, own in names.items():
    pattern = re.compile('|'.join(rf'\b{re.escape(name)}\b' for name in own))
    files = [TRAINING[group], *([FORWARD, REVERSAL] if group == 'p2d' else [])]
    for line in itertools.chain.from_iterable(by_file[file] for file in files):
      found = sorted(set(pattern.findall(line.text)))
      if len(found) != 1:
        raise ValueError(
          f'{line.where} names {found or "nobody"}; expected exactly one of the'
          f' {len(own)} people in this group: {", ".join(own)}'
        )
      lines_of.setdefault(found[0], []).append(line)
  return lines_of


def _words(text: str, name: str) -> str:
  """The words of each part around the name, one part per line, with a space on
  either side."""
  parts = text.split(name)
  return '\n'.join(f' {sentences.words_of(part)} ' for part in parts)


def _key_phrase(
  name: str, lines: Sequence[Line], words: Mapping[str, list[str]]
) -> str:
  """The longest run of words that all lines about the person share and no line
  about anyone else has, as written in the first line."""
  elsewhere = '\n'.join(
    itertools.chain.from_iterable(
      said for other, said in words.items() if other != name
    )
  )
  for candidate in _runs(lines[0].text.split(name)):
    run = f' {sentences.words_of(candidate)} '
    if all(run in line for line in words[name]) and run not in elsewhere:
      return candidate
  raise ValueError(
    f'{lines[0].where}: the {len(lines)} lines about {name!r} share no words'
    ' that no other line has; expected one description per person, in every'
    ' line about them'
  )


def _runs(parts: Sequence[str]) -> list[str]:
  """All runs of words within the parts, longest first."""
  found = [
    (end - start, part[words[start].start() : words[end - 1].end()])
    for part in parts
    for words in [list(re.finditer(r'\w+', part))]
    for start in range(len(words))
    for end in range(start + 1, len(words) + 1)
  ]
  return [run for _, run in sorted(found, key=lambda x: (-x[0], -len(x[1])))]
