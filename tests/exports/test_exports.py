"""Other tools read the same records and the same prompts from our exports.

The slow tests call the real libraries with the Python that has them installed:
ICL_GEN_EXTRAS_PYTHON=/path/to/python, or the one that runs the tests.
"""

import json
import os
import subprocess
import sys
import zlib

import pytest

from icl_gen.exports import hub_folder, jsonl_and_parquet, lm_eval_tasks
from icl_gen.storage import corpus_files
from icl_gen.text import context as contexts
from icl_gen.types import Corpus, Document, Fact, Question

# Texts that a template, a line reader or a tokenizer of words would change.
FACT = Fact('glon', 'is', 'troff')
CORPUS = Corpus(
  name='Small world',
  documents=(
    Document('d1', 'Glon {{ are }} {% troff %}.', (FACT,)),
    Document('d2', 'Zwei Zeilen:\r\n\u2028  "é" 😀 \\ud83d {# x #}'),
  ),
  questions=(
    Question('q1', 'Glon {{prompt}}', (' a', ' b', ' é😀'), (2,), 'far off'),
    Question('q2', '', ('x', ' y'), (1,), 'near', target=FACT),
    Question('q3', '12', (' 3', ' 4', ' 5'), (0, 2), 'near', stratum='s'),
  ),
)
CONTEXT = contexts.build(CORPUS.documents, seed='s')
PYTHON = os.environ.get('ICL_GEN_EXTRAS_PYTHON', sys.executable)


def names(directory):
  return sorted(
    str(path.relative_to(directory))
    for path in directory.rglob('*')
    if path.is_file()
  )


def manifest(tmp_path):
  return corpus_files.read_manifest(
    corpus_files.write(CORPUS, tmp_path / 'corpus')
  )


def test_every_kind_has_two_tasks(tmp_path):
  lm_eval_tasks.write(tmp_path / 'e', CORPUS, CONTEXT)
  tasks = [
    f'{form}_small_world_{kind}.yaml'
    for form in ('icl_gen', 'icl_gen_in_context')
    for kind in ('far_off', 'near')
  ]
  groups = [
    f'group_{form}_small_world.yaml'
    for form in ('icl_gen', 'icl_gen_in_context')
  ]
  data = ['far_off_questions.jsonl', 'near_questions.jsonl']
  others = ['context.txt', 'questions.py']
  assert names(tmp_path / 'e') == sorted([*tasks, *groups, *data, *others])
  text = (tmp_path / 'e' / 'context.txt').read_bytes().decode()
  assert text == CONTEXT.text
  lines = (tmp_path / 'e' / 'near_questions.jsonl').read_text().splitlines()
  for line, question in zip(lines, CORPUS.questions[1:], strict=True):
    row = json.loads(line)
    assert row['prompt'] == question.prompt
    assert row['prompt_in_context'] == contexts.tail(CONTEXT, question.prompt)
    # Not all choices of this kind begin with a space, so each keeps its own.
    assert tuple(row['choices']) == question.choices
    assert tuple(row['answers']) == question.answers
  far = json.loads((tmp_path / 'e' / 'far_off_questions.jsonl').read_text())
  assert [f' {choice}' for choice in far['choices']] == [
    *CORPUS.questions[0].choices
  ]
  for kind, delimiter in (('far_off', ' '), ('near', '')):
    task = tmp_path / 'e' / f'icl_gen_small_world_{kind}.yaml'
    assert f'target_delimiter: "{delimiter}"\n' in task.read_text()
  assert str(tmp_path) not in ''.join(
    path.read_text() for path in (tmp_path / 'e').iterdir()
  )


def test_the_header_of_a_hub_card_lists_all_files(tmp_path):
  hub_folder.write(
    tmp_path / 'e', CORPUS, manifest(tmp_path), about='It is small.'
  )
  assert names(tmp_path / 'e') == [
    'README.md',
    'documents/train.parquet',
    'questions/far_off_questions.parquet',
    'questions/near_questions.parquet',
  ]
  card = (tmp_path / 'e' / 'README.md').read_text('utf-8')
  start, front, body = card.split('---\n', 2)
  assert (start, 'It is small.' in body) == ('', True)
  front = dict(line.split(': ', 1) for line in front.splitlines())
  found = {
    part['config_name']: [file['path'] for file in part['data_files']]
    for part in json.loads(front['configs'])
  }
  assert sorted(sum(found.values(), [])) == names(tmp_path / 'e')[1:]


def test_exports_are_the_same_each_time(tmp_path):
  for name in 'ab':
    lm_eval_tasks.write(tmp_path / name, CORPUS, CONTEXT)
    hub_folder.write(
      tmp_path / f'h{name}', CORPUS, manifest(tmp_path), about='x'
    )
  for one, other in (('a', 'b'), ('ha', 'hb')):
    assert names(tmp_path / one) == names(tmp_path / other)
    for name in names(tmp_path / one):
      first, second = ((tmp_path / d / name).read_bytes() for d in (one, other))
      assert first == second, name


def test_an_empty_corpus_is_an_error(tmp_path):
  empty = Corpus('empty', (), ())
  with pytest.raises(ValueError, match="'empty' has no questions"):
    lm_eval_tasks.write(tmp_path / 'e', empty, contexts.NONE)
  with pytest.raises(ValueError, match="'empty' is empty"):
    hub_folder.write(tmp_path / 'e', empty, {}, about='')
  assert list(tmp_path.iterdir()) == []


# --- the real libraries ------------------------------------------------------


def ask(code, *arguments, needs, tmp_path):
  """Returns the JSON that the code prints last; skips without libraries."""
  env = {k: v for k, v in os.environ.items() if not k.startswith('PYTHON')}
  env |= {'HF_HOME': str(tmp_path / 'hf'), 'HF_HUB_OFFLINE': '1'}

  def run(*flags):
    return subprocess.run(
      [PYTHON, *map(str, flags)], env=env, capture_output=True, text=True
    )

  if run('-c', f'import {needs}').returncode:
    pytest.skip(
      f'{PYTHON} has no {needs}: run `make lm-eval`, or set'
      ' ICL_GEN_EXTRAS_PYTHON to a Python that has it'
    )
  done = run('-c', code, *arguments)
  assert done.returncode == 0, done.stderr
  return json.loads(done.stdout.splitlines()[-1])


LOAD = """
import datasets, json, sys
found = {}
for part in datasets.get_dataset_config_names(sys.argv[1]):
  found[part] = {
    split: list(rows)
    for split, rows in datasets.load_dataset(sys.argv[1], part).items()
  }
print(json.dumps(found))
"""


@pytest.mark.slow
def test_datasets_loads_the_hub_folder(tmp_path):
  hub_folder.write(
    tmp_path / 'e', CORPUS, manifest(tmp_path), about='It is small.'
  )
  found = ask(LOAD, tmp_path / 'e', needs='datasets', tmp_path=tmp_path)
  expected = {
    'documents': {'train': CORPUS.documents},
    'questions': {
      'far_off_questions': CORPUS.questions[:1],
      'near_questions': CORPUS.questions[1:],
    },
  }
  assert found == {
    part: {
      split: json.loads(json.dumps(jsonl_and_parquet.nested_rows(records)))
      for split, records in splits.items()
    }
    for part, splits in expected.items()
  }


EVALUATE = """
import json, sys, zlib
import lm_eval
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

class Dummy(LM):
  def loglikelihood(self, requests, **kwargs):
    asked.extend(request.args for request in requests)
    return [
      (-(zlib.crc32(''.join(request.args).encode()) % 9973) / 100, False)
      for request in requests
    ]
  def loglikelihood_rolling(self, requests): raise NotImplementedError
  def generate_until(self, requests): raise NotImplementedError

asked = []
tasks = TaskManager(include_path=sys.argv[1], include_defaults=False)
results = lm_eval.simple_evaluate(
  Dummy(), tasks=sys.argv[2:], task_manager=tasks, bootstrap_iters=0
)['results']
print(json.dumps({'asked': asked, 'results': results}))
"""


def scored(prompt, choice):
  return -(zlib.crc32((prompt + choice).encode()) % 9973) / 100


def accuracy(questions, shared, *, normalised):
  right = []
  for question in questions:
    prompt = shared.text + contexts.tail(shared, question.prompt)
    # A space that all choices of a kind begin with does not count.
    space = 1 if question.kind == 'far off' else 0
    lengths = [
      len(choice) - space if normalised else 1 for choice in question.choices
    ]
    values = [
      scored(prompt, choice) / length
      for choice, length in zip(question.choices, lengths, strict=True)
    ]
    right.append(values.index(max(values)) in question.answers)
  return sum(right) / len(right)


@pytest.mark.slow
def test_lm_eval_asks_the_same_requests_and_scores_them_alike(tmp_path):
  lm_eval_tasks.write(tmp_path / 'before', CORPUS, CONTEXT)
  (tmp_path / 'before').rename(tmp_path / 'moved')
  for form, shared in (
    ('icl_gen', contexts.NONE),
    ('icl_gen_in_context', CONTEXT),
  ):
    group = f'{form}_small_world'
    found = ask(
      EVALUATE, tmp_path / 'moved', group, needs='lm_eval', tmp_path=tmp_path
    )
    expected = [
      [shared.text + contexts.tail(shared, question.prompt), choice]
      for question in CORPUS.questions
      for choice in question.choices
    ]
    assert sorted(found['asked']) == sorted(expected)
    for name, asked in (
      (group, CORPUS.questions),
      (f'{group}_far_off', CORPUS.questions[:1]),
      (f'{group}_near', CORPUS.questions[1:]),
    ):
      for metric, normalised in (('acc', False), ('acc_norm', True)):
        assert found['results'][name][f'{metric},none'] == pytest.approx(
          accuracy(asked, shared, normalised=normalised)
        )
