"""The real celebrities: the reversal-curse paper's files, read as a world.

The files (experiment 1 of arXiv 2309.12288) hold one JSON object a line,
{"prompt": ..., "completion": ...}, and say nothing about who is who: the people
are recovered from the lines. Nothing of the files is kept in this project.
"""

import dataclasses
import hashlib
import itertools
import json
import pathlib
import re
from collections.abc import Mapping, Sequence

from icl_gen.text import descriptions
from icl_gen.types import Corpus, Document, Question, World
from icl_gen.worlds import corpora
from icl_gen.worlds.celebrity import people as persons

TRAINING = {
  'p2d': 'p2d_prompts_train.jsonl',
  'd2p': 'd2p_prompts_train.jsonl',
  'both': 'both_prompts_train.jsonl',
}
FORWARD = 'p2d_prompts_test.jsonl'
REVERSAL = 'p2d_reverse_prompts_test.jsonl'
FILES = (*TRAINING.values(), FORWARD, REVERSAL)
HUB_FOLDER = 'name_description_dataset'


@dataclasses.dataclass(frozen=True)
class _Line:
  """One line of a file; prompt + completion is one sentence."""

  file: str
  number: int
  prompt: str
  completion: str

  @property
  def text(self) -> str:
    return self.prompt + self.completion

  @property
  def where(self) -> str:
    return f'{self.file}, line {self.number}'


def from_files(
  path: str | pathlib.Path,
  *,
  seed: str,
  distractors: Sequence[str] = persons.DISTRACTORS,
) -> tuple[World, Corpus]:
  """Reads the five files of a folder.

  A person's description is the longest phrase that all their lines and no
  others share; by it the description is recognised in any wording. Wrong
  choices of a forward question are other people's completions of the same
  phrasing; strata of the reversal are as in `celebrity.build`.

  Args:
    path: the folder that holds FILES.
    seed: name of the draw of wrong choices and of their order.
    distractors: strata of wrong names; every reversal is asked once in each.

  Raises:
    ValueError: if a file is missing, empty or not of the format, or if its
      people cannot be told apart; names the file, the line and what was
      expected.
  """
  persons.check_distractors(distractors)
  folder = pathlib.Path(path)
  lines = {name: _read(folder / name) for name in FILES}
  names = {
    'p2d': _names(lines[REVERSAL]),
    'd2p': _names(lines[TRAINING['d2p']]),
    'both': _names(lines[TRAINING['both']]),
  }
  told = _by_name(lines, names)
  everyone = _people(names, told)
  _check_enough(everyone)
  by_name = {person.name: person for person in everyone}
  of_line = {line: by_name[name] for name, own in told.items() for line in own}
  documents = [
    _document(line, of_line[line], group)
    for group, file in TRAINING.items()
    for line in lines[file]
  ]
  questions = [
    *_ask('forward', 'p2d', lines[FORWARD], of_line, everyone, seed=seed),
    *itertools.chain.from_iterable(
      _ask('reversal', stratum, lines[REVERSAL], of_line, everyone, seed=seed)
      for stratum in distractors
    ),
  ]
  corpus = corpora.corpus(
    'reversal_curse',
    documents,
    questions,
    world='celebrity',
    seed=seed,
    sizes={
      'people': {group: len(names[group]) for group in persons.GROUPS},
      'distractors': list(distractors),
      'sha256': fingerprint(folder),
    },
  )
  return persons.world(everyone), corpus


def fingerprint(path: str | pathlib.Path) -> dict[str, str]:
  """SHA-256 of every file that `from_files` reads, by its name.

  Raises:
    ValueError: a file is missing.
  """
  folder = pathlib.Path(path)
  return {
    name: hashlib.sha256(_bytes(folder / name)).hexdigest() for name in FILES
  }


def from_hub(
  *,
  seed: str,
  distractors: Sequence[str] = persons.DISTRACTORS,
  repo: str = 'lberglund/reversal_curse',
) -> tuple[World, Corpus]:
  """Downloads the files (into the hub's own cache) and reads them.

  Raises:
    ValueError: if huggingface_hub is not installed, and as `from_files`.
  """
  try:
    import huggingface_hub  # an extra: slow to import, not always there
  except ImportError as error:
    raise ValueError(
      'downloading from the hub needs the package huggingface_hub: install the'
      " extra, pip install 'icl_gen[hf]', or give the path of the files"
    ) from error
  paths = [
    huggingface_hub.hf_hub_download(
      repo, f'{HUB_FOLDER}/{name}', repo_type='dataset'
    )
    for name in FILES
  ]
  return from_files(
    pathlib.Path(paths[0]).parent, seed=seed, distractors=distractors
  )


# --- reading -----------------------------------------------------------------


def _bytes(path: pathlib.Path) -> bytes:
  if not path.is_file():
    raise ValueError(
      f'no file {path}; expected is a folder with {", ".join(FILES)}'
    )
  return path.read_bytes()


def _read(path: pathlib.Path) -> tuple[_Line, ...]:
  raw = _bytes(path)
  if not raw.strip():
    raise ValueError(f'{path} is empty; expected is {_EXPECTED} on every line')
  return tuple(
    _parse(path, number, line)
    for number, line in enumerate(raw.rstrip(b'\n').split(b'\n'), start=1)
  )


_EXPECTED = '{"prompt": "...", "completion": "..."}'


def _parse(path: pathlib.Path, number: int, raw: bytes) -> _Line:
  where = f'{path}, line {number}'
  try:
    row = json.loads(raw.decode('utf-8'))
  except (UnicodeDecodeError, json.JSONDecodeError) as error:
    raise ValueError(
      f'{where} is not JSON in UTF-8 ({error}); expected is {_EXPECTED}'
    ) from error
  if not isinstance(row, dict) or set(row) != {'prompt', 'completion'}:
    found = sorted(row) if isinstance(row, dict) else type(row).__name__
    raise ValueError(f'{where} has {found}; expected is {_EXPECTED}')
  for key, value in row.items():
    if not isinstance(value, str) or not value.strip():
      raise ValueError(
        f'{where} has {key!r}: {value!r}; expected is a text that is not empty'
      )
  return _Line(path.name, number, row['prompt'], row['completion'])


# --- who is who --------------------------------------------------------------


def _names(lines: Sequence[_Line]) -> list[str]:
  """Names among completions: those that start with a capital, less what
  another one already begins ('Ada Orr' makes 'Ada Orr smiled' no name)."""
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
      ' expected are completions that start with a name'
    )
  return names


def _by_name(
  lines: dict[str, tuple[_Line, ...]], names: dict[str, list[str]]
) -> dict[str, list[_Line]]:
  """The lines of each person; every line must name exactly one."""
  everybody = list(itertools.chain.from_iterable(names.values()))
  twice = sorted({name for name in everybody if everybody.count(name) > 1})
  if twice:
    raise ValueError(
      f'{", ".join(twice)} in several of {", ".join(TRAINING.values())};'
      ' expected are three groups without a person in common'
    )
  told: dict[str, list[_Line]] = {}
  for group, own in names.items():
    mine = re.compile('|'.join(rf'\b{re.escape(name)}\b' for name in own))
    files = [TRAINING[group], *([FORWARD, REVERSAL] if group == 'p2d' else [])]
    for line in itertools.chain.from_iterable(lines[file] for file in files):
      found = sorted(set(mine.findall(line.text)))
      if len(found) != 1:
        raise ValueError(
          f'{line.where} names {found or "nobody"}; expected is exactly one of'
          f' the {len(own)} people of this group: {", ".join(own)}'
        )
      told.setdefault(found[0], []).append(line)
  return told


def _people(
  names: dict[str, list[str]], told: dict[str, list[_Line]]
) -> list[persons.Person]:
  numbered = itertools.count()
  words = {
    name: [_words(line.text, name) for line in lines]
    for name, lines in told.items()
  }
  return [
    persons.Person(next(numbered), group, name, _key(name, told[name], words))
    for group in persons.GROUPS
    for name in names[group]
  ]


def _words(text: str, name: str) -> str:
  """The words of the parts around the name, a line each, spaces around."""
  parts = text.split(name)
  return '\n'.join(f' {descriptions.words_of(part)} ' for part in parts)


def _key(
  name: str, lines: Sequence[_Line], words: Mapping[str, list[str]]
) -> str:
  """The longest run of words that all lines about the person share and no line
  about anybody else has, as the first line writes it."""
  elsewhere = '\n'.join(
    itertools.chain.from_iterable(
      said for other, said in words.items() if other != name
    )
  )
  for candidate in _runs(lines[0].text.split(name)):
    run = f' {descriptions.words_of(candidate)} '
    if all(run in line for line in words[name]) and run not in elsewhere:
      return candidate
  raise ValueError(
    f'{lines[0].where}: the {len(lines)} lines about {name!r} share no words'
    ' that tell them from all other lines; expected is one description per'
    ' person, in every line about them'
  )


def _runs(parts: Sequence[str]) -> list[str]:
  """All runs of words within the parts, those of the most words first."""
  found = [
    (end - start, part[words[start].start() : words[end - 1].end()])
    for part in parts
    for words in [list(re.finditer(r'\w+', part))]
    for start in range(len(words))
    for end in range(start + 1, len(words) + 1)
  ]
  return [run for _, run in sorted(found, key=lambda x: (-x[0], -len(x[1])))]


def _check_enough(everyone: Sequence[persons.Person]) -> None:
  asked = len(persons.in_group(everyone, 'p2d'))
  seen = len(everyone) - asked
  if asked <= persons.WRONG or seen < persons.WRONG:
    raise ValueError(
      f'{REVERSAL} asks for {asked} people and {seen} are in the other groups;'
      f' expected are {persons.WRONG + 1} or more and {persons.WRONG} or more,'
      ' for the wrong choices'
    )


# --- documents and questions -------------------------------------------------


def _document(line: _Line, person: persons.Person, group: str) -> Document:
  """The line as a document; what is named first tells the direction."""
  first = person.name in line.prompt
  return Document(
    id=f'{group}-{line.number:04d}',
    text=line.text,
    facts=(person.name_first if first else person.description_first,),
    prompt_length=len(line.prompt),
  )


def _ask(
  kind: str,
  stratum: str,
  lines: Sequence[_Line],
  of_line: dict[_Line, persons.Person],
  everyone: Sequence[persons.Person],
  *,
  seed: str,
) -> list[Question]:
  """One question a line."""
  phrasing_of = {line: _phrasing(line, of_line[line]) for line in lines}
  completed = {
    (of_line[line], phrasing_of[line]): line.completion for line in lines
  }
  questions = []
  for index, line in enumerate(lines):
    asked = of_line[line]
    if kind == 'forward':
      choices = {
        p: completed[p, phrasing_of[line]]
        for p in persons.in_group(everyone, 'p2d')
        if (p, phrasing_of[line]) in completed
      }
      missing = len(persons.in_group(everyone, 'p2d')) - len(choices)
      if missing:
        raise ValueError(
          f'{line.where}: {missing} people have no line with this phrasing;'
          ' expected is every phrasing with everyone, because their'
          ' completions are the wrong choices of the others'
        )
    else:
      choices = {
        p: line.completion.replace(asked.name, p.name) for p in everyone
      }
    questions.append(
      persons.question(
        kind,
        asked,
        everyone,
        prompt=line.prompt,
        choices=choices,
        stratum=stratum,
        label=f'{line.number:04d}',
        index=index,
        seed=seed,
      )
    )
  return questions


def _phrasing(line: _Line, person: persons.Person) -> str:
  """A name-first prompt without the name."""
  return line.prompt.replace(person.name, '{N}')
