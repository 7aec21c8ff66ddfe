"""The real celebrities: the reversal-curse paper's files, read as a world.

The files (experiment 1 of arXiv 2309.12288) hold one JSON object per line,
{"prompt": ..., "completion": ...}, without names or descriptions marked: the
people are recovered from the lines. This project does not ship the files.
"""

import dataclasses
import hashlib
import itertools
import pathlib
from collections.abc import Mapping, Sequence

from icl_gen.types import Corpus, Document, Question, World
from icl_gen.worlds import corpora
from icl_gen.worlds.celebrity import invented, lines
from icl_gen.worlds.celebrity import people as persons

HUB_FOLDER = 'name_description_dataset'


def from_files(
  path: str | pathlib.Path,
  *,
  seed: str,
  distractors: Sequence[str] = persons.DISTRACTORS,
) -> tuple[World, Corpus]:
  """Reads the five files of a folder.

  A person's description is the longest phrase that all lines about the person
  share and no other line has; it identifies the description in any wording.
  Wrong choices of a forward question are other people's completions of the same
  phrasing. The strata of reversals are those of the invented celebrities.

  Args:
    path: the folder that holds the files.
    seed: name of the random draw of wrong choices and of their order.
    distractors: strata of wrong names; each reversal is asked once per stratum.

  Raises:
    ValueError: a file is missing, empty or in the wrong format, is not a
      regular file or is a link that leads out of the folder, or its people
      cannot be distinguished. The message names the file, the line and what was
      expected.
  """
  persons.check_distractors(distractors)
  folder = pathlib.Path(path)
  by_file = lines.read(folder)
  everyone, of_line = lines.recover(by_file)
  _check_enough(everyone)
  documents = [
    _document(line, of_line[line], group)
    for group, file in lines.TRAINING.items()
    for line in by_file[file]
  ]
  questions = [
    *_ask(
      'forward', 'p2d', by_file[lines.FORWARD], of_line, everyone, seed=seed
    ),
    *itertools.chain.from_iterable(
      _ask(
        'reversal',
        stratum,
        by_file[lines.REVERSAL],
        of_line,
        everyone,
        seed=seed,
      )
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
      'people': {
        group: len(persons.in_group(everyone, group))
        for group in persons.GROUPS
      },
      'distractors': list(distractors),
      'sha256': fingerprint(folder),
    },
  )
  return persons.world(everyone), corpus


def fingerprint(path: str | pathlib.Path) -> dict[str, str]:
  """Returns the SHA-256 of every file that `from_files` reads, by its name.

  Raises:
    ValueError: a file is missing.
  """
  folder = pathlib.Path(path)
  return {
    name: hashlib.sha256(lines.contents(folder / name)).hexdigest()
    for name in lines.FILES
  }


def from_hub(
  *,
  seed: str,
  distractors: Sequence[str] = persons.DISTRACTORS,
  repo: str = 'lberglund/reversal_curse',
) -> tuple[World, Corpus]:
  """Downloads the files into the Hugging Face cache and reads them.

  Raises:
    ValueError: huggingface_hub is not installed, or as in `from_files`.
  """
  try:
    # An optional extra that is slow to import.
    import huggingface_hub  # type: ignore[import-not-found, unused-ignore]
  except ImportError as error:
    raise ValueError(
      'downloading from the hub needs the package huggingface_hub: run'
      ' `make hf`, or give the path of the files'
    ) from error
  paths = [
    huggingface_hub.hf_hub_download(
      repo, f'{HUB_FOLDER}/{name}', repo_type='dataset'
    )
    for name in lines.FILES
  ]
  return from_files(
    pathlib.Path(paths[0]).parent, seed=seed, distractors=distractors
  )


def _check_enough(everyone: Sequence[persons.Person]) -> None:
  asked = len(persons.in_group(everyone, 'p2d'))
  seen = len(everyone) - asked
  if asked <= persons.WRONG or seen < persons.WRONG:
    raise ValueError(
      f'{lines.REVERSAL} asks for {asked} people and {seen} are in the other'
      f' groups; the wrong choices need {persons.WRONG + 1} or more and'
      f' {persons.WRONG} or more'
    )


def _document(line: lines.Line, person: persons.Person, group: str) -> Document:
  """Makes a document of a line; the direction of its fact is the order of name
  and description."""
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
  asked: Sequence[lines.Line],
  of_line: Mapping[lines.Line, persons.Person],
  everyone: Sequence[persons.Person],
  *,
  seed: str,
) -> list[Question]:
  """Makes one question per line."""
  if kind == 'forward':
    choices_of = _completions(asked, of_line, everyone)
  else:
    choices_of = {
      line: {
        person: line.completion.replace(of_line[line].name, person.name)
        for person in everyone
      }
      for line in asked
    }
  return [
    persons.question(
      kind,
      of_line[line],
      everyone,
      prompt=line.prompt,
      choices=choices_of[line],
      stratum=stratum,
      label=f'{line.number:04d}',
      index=index,
      seed=seed,
    )
    for index, line in enumerate(asked)
  ]


def _completions(
  asked: Sequence[lines.Line],
  of_line: Mapping[lines.Line, persons.Person],
  everyone: Sequence[persons.Person],
) -> dict[lines.Line, dict[persons.Person, str]]:
  """For each name-first line, how every p2d person's line with the same
  phrasing is completed."""
  phrasing_of = {
    line: line.prompt.replace(of_line[line].name, '{N}') for line in asked
  }
  completion = {
    (of_line[line], phrasing_of[line]): line.completion for line in asked
  }
  people = persons.in_group(everyone, 'p2d')
  found = {}
  for line, phrasing in phrasing_of.items():
    found[line] = {
      person: completion[person, phrasing]
      for person in people
      if (person, phrasing) in completion
    }
    missing = len(people) - len(found[line])
    if missing:
      raise ValueError(
        f'{line.where}: {missing} people have no line with this phrasing;'
        " expected every phrasing for everyone, because each person's"
        " completion is a wrong choice in the others' questions"
      )
  return found


# Documents and questions differ from the invented ones in their words only.
FROM_FILES = dataclasses.replace(
  invented.DEFINITION,
  about=__doc__,
  build=from_files,
  sizes={},
  fingerprint=fingerprint,
)
FROM_HUB = dataclasses.replace(FROM_FILES, build=from_hub, fingerprint=None)
