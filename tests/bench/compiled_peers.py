"""Our training step beside other libraries', estimated by the TPU compiler.

  python -m venv TUNIX && TUNIX/bin/python -m pip install google-tunix==0.1.7
  TPU_LIBRARY_PATH=... python -m tests.bench.compiled_peers --out=DIR \
    --tunix_python=TUNIX/bin/python [--only=NAME]

Writes the table in docs/real-gemma.md. Every step is compiled in a process of
its own (ours by `python -m icl_gen.compile`, the others by peer_steps.py), for
the same devices, rows and length. Facts stay in DIR, which may be that of
compiled.py, so that nothing is compiled twice. gemma and kauldron are those of
our environment; tunix needs its own, with the same version of JAX, so that all
are compiled by the same compiler.

What does not fit with 8 rows a chip is also compiled with 1, and so is ours.
--only= compiles those whose name has that in it; all that have facts are in the
table.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

from tests.bench import compiled

HERE = pathlib.Path(__file__).parent
BEGIN, END = '<!-- peers: begin -->\n', '<!-- peers: end -->\n'
LENGTH = 1024
SETTINGS = (('gemma3_270m', 'v5e:2x2'), ('gemma3_1b', 'v5e:4x4'))
ROWS = (8, 1)  # on a chip


@dataclasses.dataclass(frozen=True)
class Step:
  """A training step to compile.

  Attributes:
    what: in the table.
    peer: a name in peer_steps.py; '': ours.
    remat: what the peer rematerialises; '': nothing.
  """

  what: str
  peer: str = ''
  remat: str = ''

  def path(self, folder, model, topology, each):
    """Where its facts are kept; ours where compiled.py looks for them."""
    if not self.peer:
      return folder / f'{compiled.full(model, topology, each=each).name}.json'
    words = (self.peer, self.remat, model, topology.replace(':', '-'), each)
    return folder / f'{"-".join(str(word) for word in words if word)}.json'


OURS = Step('icl_gen')
PEERS = (
  Step('gemma + kauldron', 'kauldron'),
  Step('tunix', 'tunix'),
  Step('tunix, layers rematerialised', 'tunix', 'decoder'),
)


def facts(step, folder, model, topology, each, *, only, pythons):
  """The facts of a step: those in the folder, or compiled now; else None."""
  path = step.path(folder, model, topology, each)
  if not path.exists():
    if only not in path.name:
      return None
    print(f'compiling {path.stem}', flush=True)
    if step.peer:
      _compile_peer(step, path, model, topology, each, pythons[step.peer])
    else:
      compiled.compiled(compiled.full(model, topology, each=each), path)
  if not path.exists():
    return None
  told = json.loads(path.read_text())
  return told if step.peer else told['programs']['step']


def _compile_peer(step, path, model, topology, each, python):
  if not python:
    print(f'  not compiled: give --{step.peer}_python=')
    return
  rows = each * compiled.CHIPS[topology.split(':')[1]]
  command = [
    python,
    str(HERE / 'peer_steps.py'),
    step.peer,
    model,
    topology,
    f'--rows={rows}',
    f'--length={LENGTH}',
    f'--remat={step.remat}',
    f'--json={path}',
  ]
  env = os.environ | {'PYTHONPATH': str(compiled.ROOT)}
  subprocess.run(command, cwd=compiled.ROOT, env=env, check=False)


def lines(model, topology, each, ours, peers):
  """Rows of the table: ours, then each peer and what ours takes of it.

  Args:
    model: a name in runs/models.py.
    topology: 'v5e:2x2' and the like.
    each: rows on a chip.
    ours: our facts.
    peers: (what, facts) of the others.
  """
  for what, found in (('icl_gen', ours), *peers):
    cells = [model, topology, f'{each} x {LENGTH:,}', what, *_cells(found)]
    cells += shares(ours, found) if found is not ours else ['', '', '']
    yield f'| {" | ".join([*cells, f"{found['compile_seconds']:.0f} s"])} |'


def _cells(found):
  memory = compiled.memory(found)
  if 'estimated_cycles' not in found:
    return [memory, '', '']
  cycles = f'{found["estimated_cycles"] / 1e6:,.0f} M'
  if 'attention_cycles' not in found:
    return [memory, f'{cycles} and kernels', cycles]
  return [memory, cycles, f'{_apart(found) / 1e6:,.0f} M']


def _apart(found):
  """Cycles without those of attention, which ours never have."""
  return found['estimated_cycles'] - found.get('attention_cycles', 0)


def shares(ours, peer):
  """What ours takes of a peer's; empty where one of them does not fit.

  Returns:
    of its cycles without attention, of its cycles if our kernels took as many
    as its attention does, of its temporaries.
  """
  if 'total_bytes' not in ours or 'total_bytes' not in peer:
    return ['', '', '']
  attention = peer['attention_cycles']
  found = (
    ours['estimated_cycles'] / _apart(peer),
    (ours['estimated_cycles'] + attention) / peer['estimated_cycles'],
    ours['temporary_bytes'] / peer['temporary_bytes'],
  )
  return [f'{share:.2f}' for share in found]


def table(rows):
  head = (
    '| model | devices | tokens a chip | step | arguments + temporaries |'
    ' cycles | without attention | ours of that | ours with its attention |'
    ' ours of its temporaries | compiled in |'
  )
  return '\n'.join([head, '|---' * 11 + '|', *rows]) + '\n'


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--out', type=pathlib.Path, required=True)
  parser.add_argument('--tunix_python', default='')
  parser.add_argument('--only', default='')
  given = parser.parse_args()
  given.out.mkdir(parents=True, exist_ok=True)
  more = {
    'only': given.only,
    'pythons': {'kauldron': sys.executable, 'tunix': given.tunix_python},
  }
  rows = []
  for model, topology in SETTINGS:
    peers = PEERS
    for each in ROWS:
      where = (given.out, model, topology, each)
      told = [(peer, facts(peer, *where, **more)) for peer in peers]
      told = [(peer, found) for peer, found in told if found]
      ours = facts(OURS, *where, **more) if told else None
      if ours:
        others = [(peer.what, found) for peer, found in told]
        rows += lines(model, topology, each, ours, others)
      peers = [peer for peer, found in told if not found['fits']]
  compiled.replace(BEGIN, table(rows), END)
  print(table(rows))


if __name__ == '__main__':
  main()
