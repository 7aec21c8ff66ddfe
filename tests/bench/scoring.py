"""How fast choices are scored: ours and others, side by side.

  python tests/bench/scoring.py --json FILE [--hf-python PATH] [--small]
    [--models nano wide]

The same weights and questions, in one run, go to
  ours           icl_gen.scoring, with everything that it returns; once with
                 compilation ('first'), then without
  package        a loop over the gemma package's own call, row by row
  lm_eval        lm-evaluation-harness's Hugging Face backend, in the Python
                 environment of --hf-python (torch, transformers, lm_eval,
                 accelerate), with the fastest of some batch sizes
Others are measured on some rows, evenly spread, and scaled to all; how many is
told. Their log-probabilities are compared with ours.

Ours also gives every choice's unconditional log-probability; 'conditional'
counts only what the others need for the conditional ones, 'both' what they
need for the same results.

Operations are those of matrix products. `naive` computes whole rows with
nothing in vain (causal, windows, only the logits that are needed); `as_run` is
what the harness runs; `ours` is each different beginning once. Ratios of these
are what is promised; the share is the ratio of times over it. The tables at the
end have the conditional ones, promised against what is run.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import jax  # noqa: E402
import numpy as np  # noqa: E402

from icl_gen.model import forward, loading, registry
from icl_gen.scoring import scorer, tree
from icl_gen.text import context as contexts
from icl_gen.worlds import catalog
from tests.bench import flops
from tests.golden import convert

# name -> (tokens of context, questions); 0: no context.
CASES = {'context': (2000, 200), 'no_context': (0, 200)}
SMALL_CASES = {'context': (500, 20), 'no_context': (0, 20)}
SCALING = (
  *((context, 200) for context in (512, 1024, 2048, 4096, 8192, 16384)),
  *((2048, questions) for questions in (50, 500, 2000)),
)
SMALL_SCALING = ((512, 20), (1024, 20), (512, 50))


def wide():
  """The nano architecture with twice the width, weights of noise."""
  nano = loading.load('nano')
  config = registry._nano_config(
    width=256, hidden=1024, heads=8, layers=6, window=64
  )
  module = dataclasses.replace(nano.module, config=config)
  params = forward.make_params(module, seed=0)
  return dataclasses.replace(nano, module=module, params=params, name='wide')


MODELS = {'nano': lambda: loading.load('nano'), 'wide': wide}


def task(model, *, tokens, questions):
  """Questions about people, with four choices; and a context of documents."""
  _, corpus = catalog.build(
    'celebrity', seed=0, people=50, phrasings=30, question_phrasings=10
  )
  step = len(corpus.questions) // questions
  asked = corpus.questions[:: max(1, step)][:questions]
  assert len(asked) == questions, len(corpus.questions)
  if not tokens:
    return asked, contexts.NONE
  return asked, contexts.build(
    corpus.documents,
    seed='bench',
    budget=tokens,
    count_tokens=model.tokenizer.count,
  )


def rows_of(model, questions, context):
  """(given ids, choice ids) of whole rows: what the others are given."""
  encode, bos = model.tokenizer.encode, model.tokenizer.bos_id
  behind = [bos, *encode(context.text)] if context.text else []
  found = []
  for question in questions:
    for choice in range(len(question.choices)):
      row = scorer._row(model.tokenizer, context, question, choice)
      ids = behind + row.ids.tolist()
      given = len(behind) + row.given
      found.append((ids[:given], ids[given:]))
  return found


def alone(model, rows):
  return [([model.tokenizer.bos_id], choice) for _, choice in rows]


def ours(model, questions, context):
  seconds = []
  for _ in range(3):
    began = time.perf_counter()
    found = scorer.score(model, questions, context)
    seconds.append(time.perf_counter() - began)
  choices = [choice for score in found for choice in score.choices]
  return {
    'first_seconds': seconds[0],
    'seconds': min(seconds[1:]),
    'logps': [choice.logp for choice in choices],
    'alone': [choice.logp_unconditional for choice in choices],
  }


def spread(rows, most):
  """Indices of some rows, evenly spread."""
  return np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)


def package(model, rows):
  """Log-probabilities of rows, and seconds, by the package's own call."""
  longest = max(len(given) + len(choice) for given, choice in rows)
  length = -(-longest // 64) * 64

  def one(given, choice):
    ids_1xL = np.full((1, length), 5, np.int32)
    ids = [*given, *choice]
    ids_1xL[0, : len(ids)] = ids
    logits = model.module.apply({'params': model.params}, ids_1xL).logits[0]
    scored = logits[len(given) - 1 : len(ids) - 1].astype('float32')
    logps = jax.nn.log_softmax(scored, axis=-1)
    return float(logps[np.arange(len(choice)), np.asarray(choice)].sum())

  one(*rows[0])  # compiles
  began = time.perf_counter()
  logps = [one(*row) for row in rows]
  return logps, time.perf_counter() - began


def lm_eval(model, requests, *, python):
  """Name -> results of harness.py for each list of requests."""
  longest = max(len(a) + len(b) for some in requests.values() for a, b in some)
  with tempfile.TemporaryDirectory() as folder:
    directory = pathlib.Path(folder)
    settings = convert.settings(model.module.config, positions=longest + 1)
    (directory / 'config.json').write_text(json.dumps(settings))
    np.savez(directory / 'weights.npz', **convert.weights(model.params))
    (directory / 'requests.json').write_text(json.dumps(requests))
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    script = pathlib.Path(__file__).with_name('harness.py')
    subprocess.run([python, str(script), folder], check=True, env=env)
    return json.loads((directory / 'results.json').read_text())


def scaled(seconds, measured, wanted):
  return seconds * wanted / measured


def operations(model, rows, context):
  """Operations of the conditional log-probabilities, by way of computing."""
  module = model.module
  lengths = [len(given) + len(choice) - 1 for given, choice in rows]
  positions = np.concatenate([np.arange(length) for length in lengths])
  logits = sum(len(choice) for _, choice in rows)
  whole = [
    scorer.tokens.Row(np.int32([*given, *choice]), len(given))
    for given, choice in rows
  ]
  (buffer,) = tree.pack(whole, length=sum(lengths))
  return {
    'naive': flops.of_positions(module, positions, logits=logits),
    'as_run': sum(flops.of_rows(module, 1, length) for length in lengths),
    'ours': flops.of_positions(
      module, buffer.depths_U, logits=len(np.unique(buffer.parents_S))
    ),
    'tokens_of_rows': sum(lengths),
    'tokens_of_tree': len(buffer.tokens_U),
    'context_tokens': len(model.tokenizer.encode(context.text)),
  }


def compared(told, name, seconds, seconds_alone, mine):
  """What another's times come to, beside ours."""
  both = seconds + seconds_alone
  operations = told['operations']
  ratio = seconds / mine
  told[name] |= {
    'conditional_seconds': seconds,
    'both_seconds': both,
    'times_ours_conditional': ratio,
    'times_ours_both': both / mine,
  }
  for count in ('naive', 'as_run'):
    promised = operations[count] / operations['ours']
    told[name][f'promised_{count}'] = promised
    told[name][f'share_{count}'] = ratio / promised


def case(model, *, tokens, questions, most, python):
  """Everything that is told of one model and task."""
  asked, context = task(model, tokens=tokens, questions=questions)
  rows = rows_of(model, asked, context)
  rows_alone = alone(model, rows)
  found = ours(model, asked, context)
  told = {
    'questions': len(asked),
    'rows': len(rows),
    'operations': operations(model, rows, context),
    'ours': {k: v for k, v in found.items() if k.endswith('seconds')},
  }
  chosen = spread(rows, most if tokens else 8 * most)
  some, some_alone = ([r[i] for i in chosen] for r in (rows, rows_alone))

  logps, seconds = package(model, some)
  logps_alone, seconds_alone = package(model, some_alone)
  told['package'] = {'rows_measured': len(some)} | difference(
    found, chosen, logps, logps_alone
  )
  compared(
    told,
    'package',
    scaled(seconds, len(some), len(rows)),
    scaled(seconds_alone, len(some), len(rows)),
    found['seconds'],
  )
  if python:
    answer = lm_eval(
      model, {'conditional': some, 'alone': some_alone}, python=python
    )
    theirs, theirs_alone = answer['conditional'], answer['alone']
    told['lm_eval'] = {
      'rows_measured': len(some),
      'batch_size': theirs['batch_size'],
      'threads': theirs['threads'],
    } | difference(found, chosen, theirs['logps'], theirs_alone['logps'])
    compared(
      told,
      'lm_eval',
      scaled(theirs['seconds'], len(some), len(rows)),
      scaled(theirs_alone['seconds'], len(some), len(rows)),
      found['seconds'],
    )
  return told


def difference(found, chosen, logps, logps_alone):
  ours = np.asarray(found['logps'])[chosen]
  ours_alone = np.asarray(found['alone'])[chosen]
  return {
    'largest_difference': float(
      max(
        np.abs(ours - np.asarray(logps)).max(),
        np.abs(ours_alone - np.asarray(logps_alone)).max(),
      )
    )
  }


def cell(*, tokens, questions):
  """Seconds and peak memory of one task, in a process of its own."""
  model = loading.load('nano')
  asked, context = task(model, tokens=tokens, questions=questions)
  # Imports and loading may need more than scoring, and a new process begins
  # with the peak of the one that started it: the peak is counted from here.
  pathlib.Path('/proc/self/clear_refs').write_text('5')
  before = memory('VmRSS')
  found = ours(model, asked, context)
  return {
    'context_tokens': len(model.tokenizer.encode(context.text)),
    'questions': questions,
    'first_seconds': found['first_seconds'],
    'seconds': found['seconds'],
    'before_mib': before,
    'peak_mib': memory('VmHWM'),
  }


def memory(name):
  """A line of /proc/self/status in MiB; Linux only."""
  for line in pathlib.Path('/proc/self/status').read_text().splitlines():
    if line.startswith(f'{name}:'):
      return int(line.split()[1]) / 1024
  raise ValueError(f'no {name} in /proc/self/status')


def scaling(cells):
  rows = []
  for tokens, questions in cells:
    done = subprocess.run(
      [sys.executable, __file__, '--cell', f'{tokens},{questions}'],
      check=True,
      capture_output=True,
      text=True,
    )
    rows.append(json.loads(done.stdout.splitlines()[-1]))
    show('scaling', rows[-1])
  return rows


def print_tables(told):
  """Who takes how long, and how ours grows."""
  print(
    f'\n{"case":18}{"way":9}{"seconds":>9}{"x ours":>8}'
    f'{"promised":>10}{"share":>7}{"difference":>12}'
  )
  for name, one in told.items():
    if '/' not in name:
      continue
    print(f'{name:18}{"ours":9}{one["ours"]["seconds"]:9.2f}{1:8.1f}')
    for way in ('package', 'lm_eval'):
      if way in one:
        it = one[way]
        print(
          f'{"":18}{way:9}{it["conditional_seconds"]:9.1f}'
          f'{it["times_ours_conditional"]:8.1f}{it["promised_as_run"]:10.1f}'
          f'{it["share_as_run"]:7.0%}{it["largest_difference"]:12.1e}'
        )
  print(
    f'\n{"context":>8}{"questions":>10}{"first s":>9}{"seconds":>9}'
    f'{"peak MiB":>10}{"of it scoring":>15}'
  )
  for it in told['scaling']:
    print(
      f'{it["context_tokens"]:8}{it["questions"]:10}{it["first_seconds"]:9.2f}'
      f'{it["seconds"]:9.2f}{it["peak_mib"]:10.0f}'
      f'{it["peak_mib"] - it["before_mib"]:15.0f}'
    )


def show(name, told):
  for key, value in told.items():
    if isinstance(value, dict):
      show(f'{name}.{key}', value)
    else:
      shown = f'{value:.4g}' if isinstance(value, float) else value
      print(f'{name}.{key} = {shown}', flush=True)


def main():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--json', help='where the figures are written')
  parser.add_argument('--hf-python', help='Python that has lm_eval and torch')
  parser.add_argument('--small', action='store_true', help='see that it works')
  parser.add_argument('--rows', type=int, default=32, help='of the others')
  parser.add_argument('--models', nargs='+', default=list(MODELS))
  parser.add_argument('--cell', help=argparse.SUPPRESS)
  given = parser.parse_args()
  if given.cell:
    tokens, questions = map(int, given.cell.split(','))
    print(json.dumps(cell(tokens=tokens, questions=questions)))
    return
  if not given.hf_python:
    print('lm_eval is left out: no --hf-python with torch and lm_eval given')
  told = {'devices': str(jax.devices()), 'cores': os.cpu_count()}
  for name in given.models:
    model = MODELS[name]()
    cases = SMALL_CASES if given.small else CASES
    for label, (tokens, questions) in cases.items():
      told[f'{name}/{label}'] = case(
        model,
        tokens=tokens,
        questions=questions,
        most=8 if given.small else given.rows,
        python=given.hf_python,
      )
      show(f'{name}/{label}', told[f'{name}/{label}'])
  told['scaling'] = scaling(SMALL_SCALING if given.small else SCALING)
  print_tables(told)
  if given.json:
    pathlib.Path(given.json).write_text(json.dumps(told, indent=2))


if __name__ == '__main__':
  main()
