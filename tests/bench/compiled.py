"""The table of what fits, estimated by the TPU compiler, in docs/real-gemma.md.

  TPU_LIBRARY_PATH=... python -m tests.bench.compiled --out=DIR [--only=NAME]

Each row is one call of `python -m icl_gen.compile`; its facts stay in DIR, so
that rows are not compiled twice. Those that have none are not in the table.
`make test-tpu` compiles all of them anew, and checks what they are to reach.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / 'docs/real-gemma.md'
BEGIN, END = '<!-- compiled: begin -->\n', '<!-- compiled: end -->\n'
CHIPS = {'2x2': 4, '4x4': 16, '8x8': 64, '2x2x2': 8, '4x4x4': 64}
# The compiler's words for a program that is too large.
_TOO_LARGE = re.compile(r'Used (\S+)G of (\S+)G hbm')


@dataclasses.dataclass(frozen=True)
class Row:
  """One compilation.

  Attributes:
    model: a name in runs/models.py.
    topology: 'v5e:2x2' and the like.
    what: of the table.
    stage: 'train', 'evaluate' or 'augment'.
    settings: keys of the config, with their values.
    length: tokens of a row or of the context.
    tokens: that are computed at once on one device; 0: not so many.
    share: of the chip's peak that it is to reach; 0: none.
    seconds: in which it is to be compiled.
  """

  model: str
  topology: str
  what: str
  stage: str
  settings: tuple[str, ...]
  length: int
  tokens: int = 0
  share: float = 0.0
  seconds: float = math.inf

  @property
  def name(self):
    words = re.sub(r'\W+', '-', self.what).strip('-')
    return f'{self.model}-{self.topology.replace(":", "-")}-{words}'


def full(model, topology, *settings, each=8, length=1024, share=0.0, **more):
  """All weights are trained."""
  count = CHIPS[topology.split(':')[1]]
  return Row(
    model,
    topology,
    f'all weights, {each} x {length:,} tokens a chip',
    'train',
    (f'train.batch_size={each * count}', f'train.length={length}', *settings),
    length=length,
    tokens=each * length,
    share=share,
    **more,
  )


def lora(model, topology, *settings, each):
  """Adapters are trained."""
  row = full(model, topology, 'train.lora_rank=16', *settings, each=each)
  what = f'LoRA of rank 16, {each} x 1,024 tokens a chip'
  return dataclasses.replace(row, what=what)


def after_a_context(model, topology, stage, *settings):
  """Questions or prompts after a context of 100,000 tokens."""
  return Row(
    model,
    topology,
    f'{stage} after 100,000 tokens',
    stage,
    ('context.budget=100000', *settings),
    length=100_000,
  )


ROWS = (
  full('gemma3_270m', 'v5e:2x2', share=0.35),
  full('gemma3_1b', 'v5e:4x4', share=0.45),
  full('gemma3_1b', 'v5e:4x4', each=1, length=8192),
  full('gemma3_4b', 'v5e:4x4', each=4, share=0.45),
  full('gemma3_4b', 'v6e:2x2', each=2, share=0.45),
  full('gemma3_12b', 'v5e:8x8', each=2, share=0.45),
  full('gemma3_12b', 'v5p:2x2x2', share=0.45),
  full('gemma2_9b', 'v5e:8x8', each=2, share=0.45),
  full('gemma2_9b', 'v5p:2x2x2', share=0.45),
  full('gemma3_27b', 'v5p:4x4x4', share=0.4, seconds=600),
  full('gemma3_27b', 'v6e:8x8', each=4, share=0.4, seconds=600),
  full('gemma2_27b', 'v5p:4x4x4', share=0.4, seconds=600),
  full('gemma2_27b', 'v6e:8x8', each=4, share=0.4, seconds=600),
  lora('gemma3_4b', 'v5e:2x2', each=2),
  lora('gemma3_27b', 'v6e:2x2', each=1),
  after_a_context(
    'gemma3_4b',
    'v5e:4x4',
    'evaluate',
    'scoring.data=4',
    'scoring.model=4',
  ),
  after_a_context('gemma3_4b', 'v5e:4x4', 'augment'),
)


def compiled(row, path):
  """The facts of a row, compiled now; None if the command failed."""
  done = subprocess.run(
    [
      sys.executable,
      '-m',
      'icl_gen.compile',
      f'--config=configs/reversal.py:{row.model}',
      f'--topology={row.topology}',
      f'--stage={row.stage}',
      f'--json={path}',
      *(f'--config.{setting}' for setting in row.settings),
    ],
    cwd=ROOT,
    check=False,
  )
  return None if done.returncode else json.loads(path.read_text())


def lines(row, told):
  """The rows of the table: one for each program."""
  for program, found in told['programs'].items():
    what = row.what
    if len(told['programs']) > 1:
      what += f': the {program}'
    cells = [row.model, row.topology, what, *_cells(found)]
    yield f'| {" | ".join(cells)} |'


def _cells(found):
  known = 'estimated_share_of_peak' in found
  return [
    memory(found),
    *(_estimates(found) if known else ('', '', '', '')),
    f'{found["compile_seconds"]:.0f} s',
  ]


def memory(found):
  """Whether a program fits, with arguments, temporaries and the chip's."""
  if 'total_bytes' not in found:
    sizes = _TOO_LARGE.search(found['refusal'])
    used = f': {sizes[1]} of {sizes[2]} GiB' if sizes else ''
    return f'does not fit{used}'
  gib = [
    f'{found[f"{part}_bytes"] / 2**30:.1f}'
    for part in ('argument', 'temporary', 'hbm')
  ]
  verdict = 'fits' if found['fits'] else 'does not fit'
  return f'{verdict}: {gib[0]} + {gib[1]} of {gib[2]} GiB'


def _estimates(found):
  sent = sum(kind['bytes'] for kind in found['collectives'].values())
  return (
    f'{found["estimated_cycles"] / 1e6:,.0f} M',
    f'{found["estimated_share_of_peak"]:.0%}',
    f'{found["estimated_tokens_per_second"]:,.0f}',
    f'{sent / 2**30:.1f} GiB',
  )


def table(rows):
  head = (
    '| model | devices | what | arguments + temporaries | cycles |'
    ' of peak, at most | tokens/s, at most | communicated | compiled in |'
  )
  return '\n'.join([head, '|---' * 9 + '|', *rows]) + '\n'


def replace(begin, made, end):
  """Puts what a command made between two lines of the page."""
  before, rest = PAGE.read_text('utf-8').split(begin)
  after = rest.split(end)[1]
  PAGE.write_text(before + begin + made + end + after, 'utf-8')


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--out', type=pathlib.Path, required=True)
  parser.add_argument('--only', default='')
  arguments = parser.parse_args()
  arguments.out.mkdir(parents=True, exist_ok=True)
  found = []
  for row in ROWS:
    path = arguments.out / f'{row.name}.json'
    told = json.loads(path.read_text()) if path.exists() else None
    if told is None and arguments.only in row.name:
      print(f'compiling {row.name}', flush=True)
      told = compiled(row, path)
    if told:
      found += lines(row, told)
  replace(BEGIN, table(found), END)
  print(table(found))


if __name__ == '__main__':
  main()
