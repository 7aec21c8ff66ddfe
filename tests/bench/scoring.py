"""How fast choices are scored: our scorer next to two other ways.

  python -m tests.bench.scoring [--json FILE] [--hf-python PATH] [--small]
    [--models nano wide]

`--small` runs tiny sizes of one model in seconds, to see that all of it works.

The same weights and questions are scored in one run by
  ours      icl_gen.scoring: first with compilation, then without
  package   a loop over the gemma package's own call, row by row
  lm_eval   the Hugging Face backend of lm-evaluation-harness, in the Python
            environment of --hf-python; see harness.py
The other two score evenly spread rows, and their times are scaled to all rows.
Their log-probabilities are compared with ours.

Our scorer also returns the unconditional log-probability of every choice. In
the results, 'conditional' counts only what the others need for the conditional
log-probabilities, 'both' what they need for the same results as ours.

Operations are those of matrix products: `naive` computes whole rows without
waste (causal attention, windows, only the logits that are needed), `as_run` is
what the harness runs, and `ours` computes each distinct beginning once. Their
ratios are the expected speed-ups; a share is the measured speed-up divided by
the expected one. The printed tables compare conditional times and `as_run`.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import jax
import numpy as np

from icl_gen.model import initialisation, loading
from icl_gen.scoring import scorer, tree
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.worlds import catalog
from tests.bench import flops, peers

# name -> (tokens of the context, questions); 0: no context.
CASES = {'context': (2000, 200), 'no_context': (0, 200)}
SMALL_CASES = {'context': (200, 8), 'no_context': (0, 8)}
SCALING = (
  *((context, 200) for context in (512, 1024, 2048, 4096, 8192, 16384)),
  *((2048, questions) for questions in (50, 500, 2000)),
)
SMALL_SCALING = ((200, 8),)
ROWS, SMALL_ROWS = 32, 4


def wide():
  """The nano architecture at twice the width, with random weights."""
  nano = loading.load('nano')
  config = dataclasses.replace(
    nano.module.config,
    embed_dim=256,
    hidden_dim=1024,
    num_heads=8,
    num_kv_heads=4,
  )
  module = dataclasses.replace(nano.module, config=config)
  params = initialisation.make_params(module, seed=0)
  return dataclasses.replace(nano, module=module, params=params, name='wide')


MODELS = {'nano': lambda: loading.load('nano'), 'wide': wide}


def task(model, *, context_tokens, questions):
  """Four-choice questions about people, and a context of documents."""
  corpora = enough_corpora(questions)
  available = [
    dataclasses.replace(question, id=f'{seed}/{question.id}')
    for seed, corpus in enumerate(corpora)
    for question in corpus.questions
  ]
  asked = available[:: len(available) // questions][:questions]
  if not context_tokens:
    return asked, contexts.NONE
  context = contexts.build(
    corpora[0].documents,
    seed='bench',
    budget=context_tokens,
    count_tokens=model.tokenizer.count,
  )
  return asked, context


def enough_corpora(questions):
  """Worlds of the paper's size, as many as it takes for the questions.

  One larger world does not exist: there are too few nonsense words.
  """
  found = []
  while sum(len(corpus.questions) for corpus in found) < questions:
    _, corpus = catalog.build(
      'celebrity', seed=len(found), **catalog.SIZES['celebrity']['paper']
    )
    found.append(corpus)
  return found


def rows_of(model, questions, context):
  """(given ids, choice ids) of whole rows, as the other ways score them."""
  encode, bos = model.tokenizer.encode, model.tokenizer.bos_id
  before = [bos, *encode(context.text)] if context.text else []
  found = []
  for question in questions:
    for row in scorer.encode_question(model.tokenizer, context, question):
      ids = before + row.ids.tolist()
      given = len(before) + row.given
      found.append((ids[:given], ids[given:]))
  return found


def unconditional(model, rows):
  """The same choices with BOS as their only context."""
  return [([model.tokenizer.bos_id], choice) for _, choice in rows]


def ours(model, questions, context):
  """Our times and log-probabilities."""
  seconds = []
  for _ in range(3):
    start = time.perf_counter()
    found = scorer.score(model, questions, context)
    seconds.append(time.perf_counter() - start)
  choices = [choice for score in found for choice in score.choices]
  return {
    'first_seconds': seconds[0],
    'seconds': min(seconds[1:]),
    'logps': [choice.logp for choice in choices],
    'unconditional': [choice.logp_unconditional for choice in choices],
  }


def evenly_spread(count, most):
  """Indices of at most `most` of `count` rows."""
  return np.linspace(0, count - 1, min(most, count)).round().astype(int)


def operations(model, rows, context):
  """Operations of the conditional log-probabilities, by way of scoring."""
  module = model.module
  lengths = [len(given) + len(choice) - 1 for given, choice in rows]
  positions = np.concatenate([np.arange(length) for length in lengths])
  logits = sum(len(choice) for _, choice in rows)
  whole = [
    tokens.Row(np.array([*given, *choice], np.int32), len(given))
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


def case(model, *, context_tokens, questions, most, hf_python):
  """All figures of one model and task."""
  asked, context = task(
    model, context_tokens=context_tokens, questions=questions
  )
  rows = rows_of(model, asked, context)
  rows_alone = unconditional(model, rows)
  mine = ours(model, asked, context)
  chosen = evenly_spread(len(rows), most if context_tokens else 8 * most)
  requests = {
    'conditional': [rows[i] for i in chosen],
    'unconditional': [rows_alone[i] for i in chosen],
  }
  answers = {'package': peers.package(model, requests)}
  if hf_python:
    answers['lm_eval'] = peers.lm_eval(model, requests, python=hf_python)
  counts = operations(model, rows, context)
  figures = {
    'questions': len(asked),
    'rows': len(rows),
    'operations': counts,
    'ours': {k: v for k, v in mine.items() if k.endswith('seconds')},
  }
  for way, answer in answers.items():
    figures[way] = compared(answer, mine, chosen, counts, rows=len(rows))
  return figures


def compared(answer, mine, chosen, counts, *, rows):
  """The times of another way, scaled to all rows, relative to ours."""
  scale = rows / len(chosen)
  seconds = scale * answer['conditional']['seconds']
  both = seconds + scale * answer['unconditional']['seconds']
  ratio = seconds / mine['seconds']
  figures = {
    'rows_measured': len(chosen),
    **{
      key: value
      for key, value in answer['conditional'].items()
      if key in ('batch_size', 'threads')
    },
    'largest_difference': max(
      largest_difference(mine['logps'], answer['conditional'], chosen),
      largest_difference(
        mine['unconditional'], answer['unconditional'], chosen
      ),
    ),
    'conditional_seconds': seconds,
    'both_seconds': both,
    'times_ours_conditional': ratio,
    'times_ours_both': both / mine['seconds'],
  }
  for count in ('naive', 'as_run'):
    expected = counts[count] / counts['ours']
    figures[f'expected_{count}'] = expected
    figures[f'share_{count}'] = ratio / expected
  return figures


def largest_difference(logps, answer, chosen):
  difference = np.asarray(logps)[chosen] - np.asarray(answer['logps'])
  return float(np.abs(difference).max())


def cell(*, context_tokens, questions):
  """Time and peak memory of one task; run it in a process of its own."""
  model = loading.load('nano')
  asked, context = task(
    model, context_tokens=context_tokens, questions=questions
  )
  # Imports and loading may need more memory than scoring, and a new process
  # starts with its parent's peak: reset the peak here.
  pathlib.Path('/proc/self/clear_refs').write_text('5')
  before = memory_mib('VmRSS')
  found = ours(model, asked, context)
  return {
    'context_tokens': len(model.tokenizer.encode(context.text)),
    'questions': questions,
    'first_seconds': found['first_seconds'],
    'seconds': found['seconds'],
    'before_mib': before,
    'peak_mib': memory_mib('VmHWM'),
  }


def memory_mib(name):
  """A line of /proc/self/status; Linux only."""
  for line in pathlib.Path('/proc/self/status').read_text().splitlines():
    if line.startswith(f'{name}:'):
      return int(line.split()[1]) / 1024
  raise ValueError(f'/proc/self/status has no line {name}')


def scaling(cells):
  """Our time and memory over the sizes of context and question set."""
  rows = []
  for context_tokens, questions in cells:
    command = [sys.executable, '-m', 'tests.bench.scoring']
    done = subprocess.run(
      [*command, '--cell', f'{context_tokens},{questions}'],
      check=True,
      stdout=subprocess.PIPE,
      text=True,
    )
    rows.append(json.loads(done.stdout.splitlines()[-1]))
    show('scaling', rows[-1])
  return rows


def print_tables(cases, cells):
  """Who takes how long, and how our time and memory grow."""
  print(
    f'\n{"case":18}{"way":9}{"seconds":>9}{"x ours":>8}'
    f'{"expected":>10}{"share":>7}{"difference":>12}'
  )
  for name, figures in cases.items():
    print(f'{name:18}{"ours":9}{figures["ours"]["seconds"]:9.2f}{1:8.1f}')
    for way in ('package', 'lm_eval'):
      if way in figures:
        it = figures[way]
        print(
          f'{"":18}{way:9}{it["conditional_seconds"]:9.2f}'
          f'{it["times_ours_conditional"]:8.1f}{it["expected_as_run"]:10.1f}'
          f'{it["share_as_run"]:7.0%}{it["largest_difference"]:12.1e}'
        )
  print(
    f'\n{"context":>8}{"questions":>10}{"first s":>9}{"seconds":>9}'
    f'{"peak MiB":>10}{"of it scoring":>15}'
  )
  for it in cells:
    print(
      f'{it["context_tokens"]:8}{it["questions"]:10}{it["first_seconds"]:9.2f}'
      f'{it["seconds"]:9.2f}{it["peak_mib"]:10.0f}'
      f'{it["peak_mib"] - it["before_mib"]:15.0f}'
    )


def show(name, figures):
  """Prints nested figures, one per line, with dotted names."""
  for key, value in figures.items():
    if isinstance(value, dict):
      show(f'{name}.{key}', value)
    else:
      shown = f'{value:.4g}' if isinstance(value, float) else value
      print(f'{name}.{key} = {shown}', flush=True)


def main():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--json', help='file for all figures')
  parser.add_argument('--hf-python', help='Python that has lm_eval and torch')
  parser.add_argument(
    '--small', action='store_true', help='tiny sizes, to see that it runs'
  )
  parser.add_argument(
    '--models', nargs='+', choices=MODELS, help='all; with --small: nano'
  )
  parser.add_argument('--cell', help=argparse.SUPPRESS)
  options = parser.parse_args()
  if options.cell:
    context_tokens, questions = map(int, options.cell.split(','))
    print(json.dumps(cell(context_tokens=context_tokens, questions=questions)))
    return
  if not options.hf_python:
    print('lm_eval is left out: no --hf-python with torch and lm_eval given')
  cases = {}
  default = ['nano'] if options.small else list(MODELS)
  for name in options.models or default:
    model = MODELS[name]()
    sizes = SMALL_CASES if options.small else CASES
    for label, (context_tokens, questions) in sizes.items():
      cases[f'{name}/{label}'] = case(
        model,
        context_tokens=context_tokens,
        questions=questions,
        most=SMALL_ROWS if options.small else ROWS,
        hf_python=options.hf_python,
      )
      show(f'{name}/{label}', cases[f'{name}/{label}'])
  cells = scaling(SMALL_SCALING if options.small else SCALING)
  print_tables(cases, cells)
  if options.json:
    machine = {'devices': str(jax.devices()), 'cores': os.cpu_count()}
    figures = machine | cases | {'scaling': cells}
    pathlib.Path(options.json).write_text(json.dumps(figures, indent=2))


if __name__ == '__main__':
  main()
