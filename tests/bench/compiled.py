"""The table of what fits, estimated by the TPU compiler, in docs/real-gemma.md.

  TPU_LIBRARY_PATH=... python -m tests.bench.compiled --out=DIR [--only=NAME]

Each row is one call of `python -m icl_gen.compile`; its facts stay in DIR, so
that rows are not compiled twice. Some take ten minutes on two cores.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / 'docs/real-gemma.md'
BEGIN, END = '<!-- compiled: begin -->\n', '<!-- compiled: end -->\n'
CHIPS = {'2x2': 4, '4x4': 16, '8x8': 64, '2x2x2': 8, '4x4x4': 64}


def rows():
  """(name, model, topology, what, flags)."""

  def full(model, topology, *flags, each=8, length=1024):
    count = CHIPS[topology.split(':')[1]]
    return (
      f'{model}-{topology.replace(":", "-")}-{each}x{length}',
      model,
      topology,
      f'all weights, {each} x {length:,} tokens a chip',
      ['train', f'train.batch_size={each * count}', f'train.length={length}']
      + list(flags),
    )

  def lora(model, topology, *, each):
    name, *rest, _, flags = full(model, topology, each=each)
    what = f'LoRA of rank 16, {each} x 1,024 tokens a chip'
    return f'{name}-lora', *rest, what, [*flags, 'train.lora_rank=16']

  yield full('gemma3_270m', 'v5e:2x2')
  yield full('gemma3_1b', 'v5e:4x4')
  yield full('gemma3_1b', 'v5e:4x4', 'train.remat=full', each=1, length=8192)
  yield full('gemma3_4b', 'v5e:4x4', each=4)
  yield full('gemma3_4b', 'v6e:2x2', each=2)
  for model in ('gemma3_12b', 'gemma2_9b'):
    yield full(model, 'v5e:8x8', each=2)
    yield full(model, 'v5p:2x2x2')
  for model in ('gemma3_27b', 'gemma2_27b'):
    yield full(model, 'v5p:4x4x4')
    yield full(model, 'v6e:8x8', each=4)
  yield lora('gemma3_4b', 'v5e:2x2', each=2)
  yield lora('gemma3_27b', 'v6e:2x2', each=1)


def facts(row, folder):
  """The facts of a row, compiled unless they are in the folder."""
  name, model, topology, _, (stage, *settings) = row
  path = folder / f'{name}.json'
  if not path.exists():
    print(f'compiling {name}', flush=True)
    done = subprocess.run(
      [
        sys.executable,
        '-m',
        'icl_gen.compile',
        f'--config=configs/reversal.py:{model}',
        f'--topology={topology}',
        f'--stage={stage}',
        f'--json={path}',
        *(f'--config.{setting}' for setting in settings),
      ],
      cwd=ROOT,
      check=False,
    )
    if done.returncode:
      return None
  return json.loads(path.read_text())


def line(row, told):
  """A row of the table."""
  _, model, topology, what, _ = row
  (found,) = told['programs'].values()
  if 'total_bytes' not in found:
    return f'| {model} | {topology} | {what} | does not fit | | | | |'
  gib = [
    f'{found[f"{part}_bytes"] / 2**30:.1f}'
    for part in ('argument', 'temporary', 'hbm')
  ]
  verdict = 'fits' if found['fits'] else 'does not fit'
  return (
    f'| {model} | {topology} | {what} | {verdict}: {gib[0]} + {gib[1]} of'
    f' {gib[2]} GiB | {found["estimated_cycles"] / 1e6:,.0f} M |'
    f' {found["estimated_share_of_peak"]:.0%} |'
    f' {found["estimated_tokens_per_second"]:,.0f} |'
    f' {found["compile_seconds"]:.0f} s |'
  )


def table(lines):
  head = (
    '| model | devices | trained | arguments + temporaries | cycles |'
    ' of peak, at most | tokens/s, at most | compiled in |'
  )
  return '\n'.join([head, '|---' * 8 + '|', *lines]) + '\n'


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--out', type=pathlib.Path, required=True)
  parser.add_argument('--only', default='')
  arguments = parser.parse_args()
  arguments.out.mkdir(parents=True, exist_ok=True)
  lines = []
  for row in rows():
    known = (arguments.out / f'{row[0]}.json').exists()
    if known or arguments.only in row[0]:
      told = facts(row, arguments.out)
      if told:
        lines.append(line(row, told))
  text = PAGE.read_text('utf-8')
  before, rest = text.split(BEGIN)
  after = rest.split(END)[1]
  PAGE.write_text(before + BEGIN + table(lines) + END + after, 'utf-8')
  print(table(lines))


if __name__ == '__main__':
  main()
