"""A study of a user's own documents: where they are, and what it can bear."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.reporting import cautions
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.studies import Study
from icl_gen.storage import files, working_copies
from icl_gen.worlds import catalog, custom

QUESTIONS = custom.QUESTIONS

_WORLD = 'custom'


def of_folder(values: Mapping[str, Any], folder: str) -> dict[str, Any]:
  """Returns a study's values with another folder of documents.

  Args:
    values: `config.to_dict()` of a study.
    folder: that of the documents.

  Raises:
    ValueError: no experiment, or several, read a folder of documents.
  """
  experiments = dict(values.get('experiments', {}))
  own = [name for name in experiments if experiments[name]['world'] == _WORLD]
  if len(own) != 1:
    raise ValueError(
      f'--documents={folder!r} is for a study of your own documents; give'
      ' --config=configs/study.py:custom'
    )
  (name,) = own
  one = experiments[name]
  experiments[name] = {**one, 'size': {**one['size'], 'path': folder}}
  return {**values, 'experiments': experiments}


def experiment(study: Study) -> Experiment:
  """Returns the experiment on own documents, with the study's first model.

  Raises:
    ValueError: the study has none.
  """
  for one in study.experiments.values():
    if one.world == _WORLD:
      return dataclasses.replace(
        one, model=study.models[0], seed=study.seeds[0]
      )
  raise ValueError(
    'questions are proposed about your own documents; give'
    ' --config=configs/study.py:custom and --documents=DIRECTORY'
  )


def warn(study: Study) -> None:
  """Prints what the study's results cannot bear, and what is not asked."""
  said = [
    cautions.of_model(experiment.world, model)
    for experiment in study.experiments.values()
    for model in study.models
  ]
  for caution in dict.fromkeys(filter(None, said)):
    print(f'note: {caution}', flush=True)
  for experiment in study.experiments.values():
    if not catalog.asks(experiment.world, experiment.size):
      print(
        f'{experiment.world}: no questions.jsonl in {experiment.size["path"]},'
        ' so nothing is trained or scored: the generated documents, their costs'
        ' and samples are the result (--propose_questions writes candidates)',
        flush=True,
      )


def proposals_file(root: files.Path) -> pathlib.Path:
  """Where proposed questions are written.

  Raises:
    ValueError: there are some already, which their user may have edited.
  """
  path = pathlib.Path(root) / 'proposed_questions.jsonl'
  if path.exists():
    raise ValueError(
      f'{str(path)!r} exists, and may have been edited; move or delete it'
    )
  return path


def write_questions(
  path: files.Path, rows: Sequence[Mapping[str, Any]]
) -> None:
  """Writes lines of a questions.jsonl."""
  lines = [json.dumps(row, ensure_ascii=False) for row in rows]
  with files.atomic_write(path) as partial:
    partial.write_text('\n'.join(lines) + '\n', 'utf-8')
  working_copies.publish(path)
