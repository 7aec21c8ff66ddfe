"""A user's own documents and questions, without knowledge of what is true.

Because the world has no facts, it has no logical closure, and the audit labels
every inference 'unverified'. The questions specify their right choices.
"""

import hashlib
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from icl_gen.types import Corpus, Document, Question, World
from icl_gen.worlds import corpora, folders
from icl_gen.worlds.definition import Definition

DOCUMENTS = 'documents.jsonl'
QUESTIONS = 'questions.jsonl'
TEXTS = ('.txt', '.md')

_DOCUMENT_EXPECTED = '{"id": "...", "text": "..."}'
_QUESTION_EXPECTED = (
  '{"prompt": "...", "choices": ["...", "..."], "answer": 0, "kind": "..."}'
)
_BOM = b'\xef\xbb\xbf'

Row = dict[str, Any]


def from_folder(
  path: str | pathlib.Path, *, seed: str, joiner: str = ' '
) -> tuple[World, Corpus]:
  """Reads a folder of documents and questions.

  A folder holds either `documents.jsonl` or text files (*.txt, *.md, at any
  depth), and may hold `questions.jsonl`:

    documents.jsonl  {"id": "mill", "text": "The mill of Tarnby was ..."}
    questions.jsonl  {"prompt": "The mill of Tarnby was built by",
                      "choices": ["Odd Brekke", "Ilse Maar"],
                      "answer": 0, "kind": "reversal"}

  Documents may have a "prompt_length", and questions a "stratum" and an "id".
  An "answer" is the index of the right choice, counted from 0, or a list of
  such indices. Files are UTF-8, with or without a byte order mark; lines may
  end in CRLF, and blank lines are skipped. If there is a `documents.jsonl`,
  text files such as a README.md are ignored. The id of a text file is its path
  in the folder; its surrounding white space is stripped. Links may lead to
  other files of the folder, not out of it.

  Args:
    path: the folder.
    seed: recorded in the manifest; nothing is random.
    joiner: inserted between a prompt and a choice, unless the prompt is empty
      or there is white space between them already.

  Returns:
    a world without facts, and the corpus.

  Raises:
    ValueError: the folder is missing or has no documents, a file has the wrong
      format, is not a regular file, or is a link that leads out of the folder.
      The message names the file, the line and what was expected.
  """
  folder = _folder(path)
  if folders.has_file(folder, DOCUMENTS):
    documents = _documents(folder / DOCUMENTS)
  else:
    documents = [_text(file, folder) for file in _texts(folder)]
  if not documents:
    raise ValueError(
      f'{folder} has no documents; expected {DOCUMENTS} with'
      f' {_DOCUMENT_EXPECTED} on every line, or text files'
      f' ({", ".join(TEXTS)})'
    )
  questions = []
  if folders.has_file(folder, QUESTIONS):
    questions = _questions(folder / QUESTIONS, joiner=joiner)
  corpus = corpora.corpus(
    'custom',
    documents,
    questions,
    world='custom',
    seed=seed,
    sizes={'joiner': joiner, 'sha256': fingerprint(path)},
  )
  return World('custom', (), ()), corpus


def fingerprint(path: str | pathlib.Path) -> dict[str, str]:
  """Returns the SHA-256 of every file that `from_folder` reads, by its path.

  Raises:
    ValueError: the folder is missing, or one of its files is not a regular
      file or a link that leads out of the folder.
  """
  folder = _folder(path)
  has_lines = folders.has_file(folder, DOCUMENTS)
  found = [folder / DOCUMENTS] if has_lines else _texts(folder)
  if folders.has_file(folder, QUESTIONS):
    found = [*found, folder / QUESTIONS]
  return {_name(file, folder): _sha256(file) for file in found}


def _folder(path: str | pathlib.Path) -> pathlib.Path:
  if not str(path):
    raise ValueError(
      'no folder of documents; give --config.size.path=DIRECTORY'
    )
  folder = pathlib.Path(path).expanduser()
  if not folder.is_dir():
    what = 'is a file' if folder.exists() else 'does not exist'
    raise ValueError(
      f'{folder} {what}; give the folder that holds {DOCUMENTS} or text files'
      f' ({", ".join(TEXTS)})'
    )
  return folder


def _name(file: pathlib.Path, folder: pathlib.Path) -> str:
  return file.relative_to(folder).as_posix()


def _sha256(file: pathlib.Path) -> str:
  with open(file, 'rb') as opened:
    return hashlib.file_digest(opened, 'sha256').hexdigest()


# --- text files --------------------------------------------------------------


def _texts(folder: pathlib.Path) -> list[pathlib.Path]:
  """The folder's text files sorted by path, without hidden ones."""
  found = {_name(file, folder): file for file in folder.rglob('*')}
  return [
    found[name]
    for name in sorted(found)
    if not any(part.startswith('.') for part in name.split('/'))
    and _is_text(found[name], folder)
  ]


def _is_text(file: pathlib.Path, folder: pathlib.Path) -> bool:
  if file.is_dir():
    # rglob does not follow links, so its texts would be missing.
    folders.require_inside(file, folder)
    return False
  if file.suffix.lower() not in TEXTS:
    return False
  return folders.has_file(folder, _name(file, folder))


def _text(file: pathlib.Path, folder: pathlib.Path) -> Document:
  try:
    text = file.read_bytes().removeprefix(_BOM).decode('utf-8')
  except UnicodeDecodeError as error:
    line = error.object[: error.start].count(b'\n') + 1
    raise ValueError(
      f'{file}, line {line} is not UTF-8 ({error.reason}); expected text in'
      ' UTF-8'
    ) from error
  text = text.replace('\r\n', '\n').strip()
  if not text:
    raise ValueError(
      f'{file} is empty; expected text: add some, or delete the file'
    )
  return Document(_name(file, folder), text)


# --- lines of JSON -----------------------------------------------------------


def _documents(path: pathlib.Path) -> list[Document]:
  documents: list[Document] = []
  lines: dict[str, str] = {}
  for where, row in _rows(path, _DOCUMENT_EXPECTED):
    _check_keys(
      row, where, need=('id', 'text'), may=('prompt_length',), of='document'
    )
    name, text = _string(row, 'id', where), _string(row, 'text', where)
    length = row.get('prompt_length', 0)
    if type(length) is not int or not 0 <= length < len(text):
      raise ValueError(
        f'{where} has "prompt_length": {length!r}; expected a number of'
        f' characters from 0 to {len(text) - 1}, less than the whole text'
      )
    _check_new(name, where, lines)
    documents.append(Document(name, text, prompt_length=length))
  return documents


def _questions(path: pathlib.Path, *, joiner: str) -> list[Question]:
  questions: list[Question] = []
  lines: dict[str, str] = {}
  for where, row in _rows(path, _QUESTION_EXPECTED):
    _check_keys(
      row,
      where,
      need=('prompt', 'choices', 'answer', 'kind'),
      may=('id', 'stratum'),
      of='question',
    )
    prompt = _string(row, 'prompt', where, empty=True)
    choices = _choices(row['choices'], prompt, where, joiner=joiner)
    answers = _answers(row['answer'], choices, where)
    kind = _string(row, 'kind', where)
    stratum = _string({'stratum': ''} | row, 'stratum', where, empty=True)
    # Derived from the content, so that adding lines does not change ids.
    named = {'id': _hash([prompt, choices, kind, stratum])} | row
    name = _string(named, 'id', where)
    _check_new(name, where, lines)
    questions.append(
      Question(name, prompt, choices, answers, kind, stratum=stratum)
    )
  return questions


def _choices(
  given: Any, prompt: str, where: str, *, joiner: str
) -> tuple[str, ...]:
  texts = isinstance(given, list) and all(
    isinstance(choice, str) and choice.strip() for choice in given
  )
  if not texts or len(given) < 2:
    raise ValueError(
      f'{where} has "choices": {_short(given)}; expected a list of two or more'
      ' texts that are not empty'
    )
  for choice in given:
    _check_utf8(choice, 'choices', where)
  apart = not prompt or prompt[-1].isspace()
  choices = tuple(
    choice if apart or choice[0].isspace() else joiner + choice
    for choice in given
  )
  if len(set(choices)) < len(choices):
    twice = next(choice for choice in choices if choices.count(choice) > 1)
    raise ValueError(
      f'{where} has the choice {twice!r} twice; expected distinct choices'
    )
  return choices


def _answers(
  given: Any, choices: tuple[str, ...], where: str
) -> tuple[int, ...]:
  answers = given if isinstance(given, list) else [given]
  fit = all(type(a) is int and 0 <= a < len(choices) for a in answers)
  if not fit or not answers or len(set(answers)) < len(answers):
    raise ValueError(
      f'{where} has "answer": {_short(given)}; expected the index of the right'
      f' choice, from 0 to {len(choices) - 1}, or a list of such indices'
    )
  return tuple(answers)


def _rows(path: pathlib.Path, expected: str) -> Iterator[tuple[str, Row]]:
  """Yields '<file>, line <n>' and the JSON object of every line that has one.

  Only one line is in memory at a time.
  """
  with open(path, 'rb') as file:
    for number, line in enumerate(file, start=1):
      line = line.removeprefix(_BOM) if number == 1 else line
      if not line.strip():
        continue
      where = f'{path}, line {number}'
      try:
        row = json.loads(line.decode('utf-8'), object_pairs_hook=_object)
      except KeyError as error:
        raise ValueError(
          f'{where} has the key "{error.args[0]}" twice; expected {expected}'
        ) from error
      except (ValueError, RecursionError) as error:
        raise ValueError(
          f'{where} is not JSON in UTF-8 ({error}); expected {expected}'
        ) from error
      if not isinstance(row, dict):
        raise ValueError(f'{where} is {_short(row)}; expected {expected}')
      yield where, row


def _object(pairs: Sequence[tuple[str, Any]]) -> Row:
  """A JSON object; a KeyError for a key that occurs twice."""
  row: Row = {}
  for key, value in pairs:
    if key in row:
      raise KeyError(key)
    row[key] = value
  return row


def _check_keys(
  row: Row, where: str, *, need: Sequence[str], may: Sequence[str], of: str
) -> None:
  missing = [key for key in need if key not in row]
  if missing:
    raise ValueError(
      f'{where} has no "{missing[0]}"; a {of} needs {", ".join(need)}'
    )
  unknown = [key for key in row if key not in (*need, *may)]
  if unknown:
    raise ValueError(
      f'{where} has the unknown key "{unknown[0]}"; a {of} needs'
      f' {", ".join(need)} and may have {", ".join(may)}'
    )


def _string(row: Row, key: str, where: str, *, empty: bool = False) -> str:
  value = row[key]
  if not isinstance(value, str) or not (empty or value.strip()):
    wanted = 'text' if empty else 'text that is not empty'
    raise ValueError(f'{where} has "{key}": {_short(value)}; expected {wanted}')
  _check_utf8(value, key, where)
  return value


def _check_utf8(value: str, key: str, where: str) -> None:
  # JSON can escape half of a surrogate pair, which UTF-8 cannot encode.
  try:
    value.encode()
  except UnicodeEncodeError as error:
    raise ValueError(
      f'{where} has half a surrogate pair in "{key}" ({error.reason});'
      ' expected text that UTF-8 can encode'
    ) from error


def _check_new(name: str, where: str, lines: dict[str, str]) -> None:
  if name in lines:
    raise ValueError(
      f'{where} has the id {name!r} of {lines[name]}; expected distinct ids'
      ' (or, for questions without ids, distinct questions)'
    )
  lines[name] = where.rpartition(', ')[2]


def _hash(value: Any) -> str:
  return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _short(value: Any) -> str:
  text = json.dumps(value, ensure_ascii=False)
  return text if len(text) <= 60 else f'{text[:57]}...'


DEFINITION = Definition(
  about=__doc__, build=from_folder, fingerprint=fingerprint
)
