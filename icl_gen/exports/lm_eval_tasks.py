"""A corpus's questions as tasks of lm-evaluation-harness, for any model.

Every kind of question becomes two multiple-choice tasks: the prompt alone, and
the prompt after the documents. Each form has a group of all kinds:

  icl_gen_<name>_<kind>               lm_eval --include_path DIRECTORY \\
  icl_gen_in_context_<name>_<kind>      --tasks icl_gen_<name> --model ...

The folder may be moved, as it refers to no path outside itself.
"""

import json
import pathlib
import re
from collections.abc import Sequence
from typing import Any

from icl_gen.storage import corpus_files, files
from icl_gen.text import context as contexts
from icl_gen.types import Corpus, Question

CLOSED, IN_CONTEXT = 'icl_gen', 'icl_gen_in_context'
# A task's YAML resolves data files against the working directory, so this
# module next to it loads them.
LOADER = '''\
"""Loads the questions and the context next to this file.

Written by icl_gen.export.
"""

import functools
import pathlib

import datasets

HERE = pathlib.Path(__file__).parent


def load(file, **metadata):
  """Returns the questions of one kind, as the split 'test'."""
  del metadata
  return datasets.load_dataset('json', data_files={'test': str(HERE / file)})


@functools.cache
def context():
  with open(HERE / 'context.txt', encoding='utf-8', newline='') as file:
    return file.read()


def in_context(doc):
  """Returns the documents, followed by the prompt as one more document."""
  return context() + doc['prompt_in_context']
'''


def write(
  directory: files.Path, corpus: Corpus, context: contexts.Context
) -> None:
  """Writes tasks, questions and context atomically into a new directory.

  Args:
    directory: the directory to write; an existing one is replaced.
    corpus: its questions and its name are used.
    context: the text before the prompts of the in-context tasks.

  Raises:
    ValueError: there are no questions, or two kinds have the same split name.
    OSError: the disk is full, or the directory is not writable.
  """
  if not corpus.questions:
    raise ValueError(f'corpus {corpus.name!r} has no questions to export')
  name = re.sub('[^a-z0-9]', '_', corpus.name.lower())
  splits = corpus_files.split_names([q.kind for q in corpus.questions])
  with files.atomic_write(directory) as partial:
    partial.mkdir()
    _write_text(partial / 'questions.py', LOADER)
    _write_text(partial / 'context.txt', context.text)
    delimiters = {}
    for kind, split in splits.items():
      asked = [q for q in corpus.questions if q.kind == kind]
      delimiters[split] = _delimiter(asked)
      _write_text(
        partial / f'{split}.jsonl',
        ''.join(
          _line(question, context, delimiters[split]) for question in asked
        ),
      )
    for form in (CLOSED, IN_CONTEXT):
      tasks = {
        split: f'{form}_{name}_{split.removesuffix("_questions")}'
        for split in splits.values()
      }
      for split, task in tasks.items():
        _write_text(
          partial / f'{task}.yaml', _task(task, split, form, delimiters[split])
        )
      group = f'{form}_{name}'
      _write_text(
        partial / f'group_{group}.yaml', _group(group, list(tasks.values()))
      )


def _delimiter(questions: Sequence[Question]) -> str:
  """Returns ' ' if every choice begins with exactly one space, else ''.

  The harness inserts the delimiter itself and does not count it in `acc_norm`,
  just as our accuracy per character leaves it out.
  """
  choices = [choice for q in questions for choice in q.choices]
  one_space = all(choice == f' {choice.lstrip()}' for choice in choices)
  return ' ' if one_space else ''


def _line(question: Question, context: contexts.Context, delimiter: str) -> str:
  row = {
    'id': question.id,
    'prompt': question.prompt,
    'prompt_in_context': contexts.asked(context, question.prompt),
    'choices': [c.removeprefix(delimiter) for c in question.choices],
    'answers': question.answers,
    'stratum': question.stratum,
  }
  return json.dumps(row) + '\n'


def _task(task: str, split: str, form: str, delimiter: str) -> str:
  in_context = form == IN_CONTEXT
  return _yaml(
    {
      'task': task,
      'custom_dataset': _Function('questions.load'),
      'dataset_kwargs': {'file': f'{split}.jsonl'},
      'test_split': 'test',
      'output_type': 'multiple_choice',
      # A column's name takes its texts literally, never as a template.
      'doc_to_text': _Function('questions.in_context')
      if in_context
      else 'prompt',
      'doc_to_choice': 'choices',
      'doc_to_target': 'answers',
      'target_delimiter': delimiter,
      'num_fewshot': 0,
      'metric_list': [
        {'metric': metric, 'aggregation': 'mean', 'higher_is_better': True}
        for metric in ('acc', 'acc_norm')
      ],
      'metadata': {'version': 1.0},
    }
  )


def _group(group: str, tasks: list[str]) -> str:
  return _yaml(
    {
      'group': group,
      'task': tasks,
      'aggregate_metric_list': [
        {'metric': metric, 'aggregation': 'mean', 'weight_by_size': True}
        for metric in ('acc', 'acc_norm')
      ],
      'metadata': {'version': 1.0},
    }
  )


class _Function(str):
  """The name of a function in the exported questions.py."""


def _yaml(entries: dict[str, Any]) -> str:
  """Returns entries as YAML; all but functions are JSON, which is also YAML."""
  return ''.join(
    f'{key}: !function {value}\n'
    if isinstance(value, _Function)
    else f'{key}: {json.dumps(value)}\n'
    for key, value in entries.items()
  )


def _write_text(path: pathlib.Path, text: str) -> None:
  path.write_text(text, encoding='utf-8', newline='')
