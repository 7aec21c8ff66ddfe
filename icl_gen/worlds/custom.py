"""A user's own documents and questions, without knowledge of what is true.

Because the world has no facts, it has no logical closure, and the audit labels
every inference 'unverified'. The questions specify their right choices.
"""

import hashlib
import json
import pathlib
import unicodedata
from collections.abc import Sequence
from typing import Any

from icl_gen.text import pieces, scripts
from icl_gen.types import Corpus, Document, Question, World
from icl_gen.worlds import corpora, folders, gathered, json_lines
from icl_gen.worlds.definition import Definition
from icl_gen.worlds.json_lines import Row, check_utf8, short

DOCUMENTS = 'documents.jsonl'
QUESTIONS = gathered.QUESTIONS

_DOCUMENT_EXPECTED = '{"id": "...", "text": "..."}'
_QUESTION_EXPECTED = (
  '{"prompt": "...", "choices": ["...", "..."], "answer": 0, "kind": "..."}'
)


def from_folder(
  path: str | pathlib.Path,
  *,
  seed: str,
  joiner: str = ' ',
  longest: int = 0,
  column: str = 'text',
) -> tuple[World, Corpus]:
  """Reads a folder of documents and questions.

  A folder holds either `documents.jsonl` or other files at any depth: texts
  (*.txt, *.md, *.markdown) and tables (*.jsonl, *.parquet, *.arrow), among them
  data sets of the Hugging Face hub, or saved by its library. It may hold
  `questions.jsonl`:

    documents.jsonl  {"id": "mill", "text": "The mill of Tarnby was ..."}
    questions.jsonl  {"prompt": "The mill of Tarnby was built by",
                      "choices": ["Odd Brekke", "Ilse Maar"],
                      "answer": 0, "kind": "reversal"}

  Documents may have a "prompt_length"; questions may have a "stratum", an "id",
  and a "source", which is for their reader.
  An "answer" is the index of the right choice, counted from 0, or a list of
  such indices. Files are UTF-8, with or without a byte order mark; lines may
  end in CRLF, and blank lines are skipped. If there is a `documents.jsonl`,
  other files are ignored, and its texts stay as they are; a README.md with
  tables next to it or below describes them, and is ignored too. The id of a
  text file is its path in the folder, that of a row the file's and the row's
  number, unless it has an "id". Texts are cleaned (see `folders`), and Markdown
  loses its front matter and gets one line per paragraph (see
  text/markdown.py). Links may lead to other files of the folder, not out of it.

  Args:
    path: the folder.
    seed: recorded in the manifest; nothing is random.
    joiner: inserted between a prompt and a choice, unless the prompt is empty,
      there is white space between them already, or their script has none.
    longest: characters of a document; longer ones are split, see
      `text/pieces.py`, unless they have a "prompt_length". 0: none is split.
    column: of the texts in tables.

  Returns:
    a world without facts, and the corpus. Its manifest has 'notes' if something
    was split, left out or not read.

  Raises:
    ValueError: the folder is missing or has no documents, a file has the wrong
      format, is not a regular file, or is a link that leads out of the folder.
      The message names the file, the line and what was expected.
  """
  folder = _folder(path)
  notes: list[str] = []
  if folders.has_file(folder, DOCUMENTS):
    documents = _documents(folder / DOCUMENTS)
  else:
    documents = gathered.documents(folder, column=column, notes=notes)
  if not documents:
    raise ValueError(
      f'{folder} has no documents; expected {DOCUMENTS} with'
      f' {_DOCUMENT_EXPECTED} on every line, or files at any depth'
      f' ({", ".join(gathered.SUFFIXES)})'
    )
  if told := _told_of_copies(documents):
    notes.append(told)
  if longest:
    documents = _split(documents, longest, notes)
  questions = []
  if folders.has_file(folder, QUESTIONS):
    questions = _questions(folder / QUESTIONS, joiner=joiner)
  corpus = corpora.corpus(
    'custom',
    documents,
    questions,
    world='custom',
    seed=seed,
    sizes={'joiner': joiner, 'sha256': fingerprint(path)}
    | ({'notes': notes} if notes else {}),
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
  found = [folder / DOCUMENTS] if has_lines else gathered.files(folder)
  if folders.has_file(folder, QUESTIONS):
    found = [*found, folder / QUESTIONS]
  return {gathered.name(file, folder): _sha256(file) for file in found}


def asks(path: str | pathlib.Path) -> bool:
  """Whether a folder has questions; of one that is not there, it is assumed."""
  file = pathlib.Path(path).expanduser() / QUESTIONS
  if not file.parent.is_dir():
    return True
  return file.is_file() and bool(file.read_bytes().strip())


def _folder(path: str | pathlib.Path) -> pathlib.Path:
  if not str(path):
    raise ValueError(
      'no folder of documents; give --config.size.path=DIRECTORY'
    )
  folder = pathlib.Path(path).expanduser()
  if not folder.is_dir():
    what = 'is a file' if folder.exists() else 'does not exist'
    raise ValueError(
      f'{folder} {what}; give the folder that holds {DOCUMENTS} or other files'
      f' ({", ".join(gathered.SUFFIXES)})'
    )
  return folder


def _sha256(file: pathlib.Path) -> str:
  with open(file, 'rb') as opened:
    return hashlib.file_digest(opened, 'sha256').hexdigest()


def _told_of_copies(documents: Sequence[Document]) -> str:
  """What to say if some have the text of others; '' if none has."""
  first: dict[str, str] = {}
  copies = [d for d in documents if first.setdefault(d.text, d.id) != d.id]
  if not copies:
    return ''
  return (
    f'documents with the text of another one: {len(copies):,}, the first'
    f' {copies[0].id!r} with that of {first[copies[0].text]!r}'
  )


def _split(
  documents: Sequence[Document], longest: int, notes: list[str]
) -> list[Document]:
  if longest < 0:
    raise ValueError(
      f'--config.size.longest={longest}; give the characters of a document, or'
      ' 0: none is split'
    )
  found: list[Document] = []
  split = made = 0
  for document in documents:
    texts = [document.text]
    if len(document.text) > longest and not document.prompt_length:
      texts = pieces.split(document.text, longest=longest)
    if len(texts) == 1:
      found.append(document)
      continue
    split, made = split + 1, made + len(texts)
    found += [
      Document(f'{document.id}/{n}', text) for n, text in enumerate(texts)
    ]
  names = [document.id for document in found]
  if len(set(names)) < len(names):
    twice = next(name for name in names if names.count(name) > 1)
    raise ValueError(
      f'documents and their pieces have the id {twice!r} twice; give the'
      ' documents other ids'
    )
  if split:
    notes.append(
      f'documents of more than {longest:,} characters: {split}, split into'
      f' {made} pieces at headings, paragraphs and sentences'
    )
  lengths = [len(d.text) for d in found if not d.prompt_length]
  if over := [length for length in lengths if length > longest]:
    notes.append(
      f'longer than that, as nothing can be split in them: {len(over)}, the'
      f' longest of {max(over):,} characters'
    )
  return found


# --- lines of JSON -----------------------------------------------------------


def _documents(path: pathlib.Path) -> list[Document]:
  documents: list[Document] = []
  lines: dict[str, str] = {}
  for where, row in json_lines.rows(path, _DOCUMENT_EXPECTED):
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
    json_lines.check_new(name, where, lines)
    documents.append(Document(name, text, prompt_length=length))
  return documents


def _questions(path: pathlib.Path, *, joiner: str) -> list[Question]:
  questions: list[Question] = []
  lines: dict[str, str] = {}
  for where, row in json_lines.rows(path, _QUESTION_EXPECTED):
    _check_keys(
      row,
      where,
      need=('prompt', 'choices', 'answer', 'kind'),
      may=('id', 'stratum', 'source'),
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
    json_lines.check_new(name, where, lines)
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
      f'{where} has "choices": {short(given)}; expected a list of two or more'
      ' texts that are not empty'
    )
  for choice in given:
    check_utf8(choice, 'choices', where)
  apart = not prompt or prompt[-1].isspace()
  choices = tuple(
    choice
    if apart or choice[0].isspace() or not scripts.space(prompt, choice)
    else joiner + choice
    for choice in given
  )
  # Readers see no difference between these, and only one can be right.
  seen = [unicodedata.normalize('NFC', choice.rstrip()) for choice in choices]
  if len(set(seen)) < len(seen):
    twice = next(choice for choice in seen if seen.count(choice) > 1)
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
      f'{where} has "answer": {short(given)}; expected the index of the right'
      f' choice, from 0 to {len(choices) - 1}, or a list of such indices'
    )
  return tuple(answers)


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
    raise ValueError(f'{where} has "{key}": {short(value)}; expected {wanted}')
  check_utf8(value, key, where)
  return value


def _hash(value: Any) -> str:
  return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


DEFINITION = Definition(
  about=__doc__, build=from_folder, fingerprint=fingerprint, asks=asks
)
