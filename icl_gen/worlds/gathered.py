"""The documents of a folder: its texts and tables, at any depth."""

import collections
import pathlib

from icl_gen.text import markdown
from icl_gen.types import Document
from icl_gen.worlds import folders, json_lines, tables

QUESTIONS = 'questions.jsonl'
MARKDOWN = ('.md', '.markdown')
TEXTS = ('.txt', *MARKDOWN)
SUFFIXES = (*TEXTS, *tables.SUFFIXES)
# What may hold texts that somebody expects to be read.
_OTHERS = frozenset(
  '.bz2 .csv .doc .docx .epub .gz .htm .html .json .mdx .odt .org .pdf .rst'
  ' .rtf .tex .tsv .xml .xz .zip .zst'.split()
)
# Of the datasets library, next to its tables.
_OF_DATA_SETS = frozenset(
  ('dataset_dict.json', 'dataset_info.json', 'state.json')
)
# What is counted, and said if there is any.
_SAID = _EMPTY, _TWICE, _ABOVE = (
  'rows without text, left out',
  'rows with the id of another, named after their file',
  'pages with front matter, of which only the title is read',
)


def name(file: pathlib.Path, folder: pathlib.Path) -> str:
  """The path of a file in its folder, which is the same on all systems."""
  # relative_to is much slower, and folders have thousands of files.
  return file.as_posix().removeprefix(f'{folder.as_posix()}/')


def files(folder: pathlib.Path) -> list[pathlib.Path]:
  """Returns a folder's texts and tables, sorted by path.

  Hidden ones are left out, as are the questions and what describes or copies
  tables.

  Raises:
    ValueError: one is not a regular file, or is a link that leads out of the
      folder.
  """
  kept = [
    file
    for file in _visible(folder)
    if name(file, folder) != QUESTIONS
    and not tables.is_copy(file)
    and _is_read(file, folder)
  ]
  described = {
    above
    for file in kept
    if file.suffix.lower() in tables.SUFFIXES
    for above in file.parents
  }
  return [
    file
    for file in kept
    if file.name.lower() != 'readme.md' or file.parent not in described
  ]


def documents(
  folder: pathlib.Path, *, column: str, notes: list[str]
) -> list[Document]:
  """Reads the documents of a folder's files.

  Args:
    folder: it is there.
    column: of the texts in tables.
    notes: what is said about the files is added to it.

  Raises:
    ValueError: a file has the wrong format; names it and the line.
  """
  found: list[Document] = []
  lines: dict[str, str] = {}
  rows: list[tuple[str, int]] = []
  counts: collections.Counter[str] = collections.Counter()
  for file in files(folder):
    if file.suffix.lower() in TEXTS:
      text, is_below = _text(file)
      counts[_ABOVE] += is_below
      found.append(Document(name(file, folder), text))
      json_lines.check_new(found[-1].id, f'{file}', lines)
      continue
    rows.append((name(file, folder), 0))
    for where, number, text, given in tables.texts(file, column=column):
      rows[-1] = rows[-1][0], number
      text = folders.cleaned(text)
      if not text:
        counts[_EMPTY] += 1
        continue
      called = given or f'{name(file, folder)}:{number}'
      if given in lines and file.suffix.lower() != '.jsonl':
        # Splits of a data set may count their rows alike.
        counts[_TWICE] += 1
        called = f'{name(file, folder)}:{number}'
      json_lines.check_new(called, where, lines)
      found.append(Document(called, text))
  notes += [f'{said}: {counts[said]}' for said in _SAID if counts[said]]
  notes += filter(None, (tables.told_of_splits(rows), _told_of_others(folder)))
  return found


def _visible(folder: pathlib.Path) -> list[pathlib.Path]:
  found = {name(file, folder): file for file in folder.rglob('*')}
  return [
    found[path]
    for path in sorted(found)
    if not any(part.startswith('.') for part in path.split('/'))
  ]


def _is_read(file: pathlib.Path, folder: pathlib.Path) -> bool:
  if file.is_dir():
    # rglob does not follow links, so its files would be missing.
    folders.require_inside(file, folder)
    return False
  if file.suffix.lower() not in SUFFIXES:
    return False
  return folders.has_file(folder, name(file, folder))


def _told_of_others(folder: pathlib.Path) -> str:
  """What to say of texts in other formats; '' if there are none."""
  kinds = collections.Counter(
    file.suffix.lower()
    for file in _visible(folder)
    if file.suffix.lower() in _OTHERS
    and file.name not in _OF_DATA_SETS
    and file.is_file()
  )
  every = ', '.join(f'{kind} ({n:,})' for kind, n in sorted(kinds.items()))
  return f'files of other kinds, not read: {every}' if kinds else ''


def _text(file: pathlib.Path) -> tuple[str, bool]:
  """What a file says, and whether front matter stood above it."""
  given = text = folders.read_text(file)
  is_markdown = file.suffix.lower() in MARKDOWN
  if is_markdown:
    text = markdown.without_front_matter(given)
  if not text:
    raise ValueError(
      f'{file} is empty; expected text: add some, or delete the file'
    )
  return markdown.unwrapped(text) if is_markdown else text, text != given
