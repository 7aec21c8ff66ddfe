"""Plays rounds of every kind in several processes; see `--help`."""

import argparse
import collections
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import time

from tests.chaos.judge import FAILURE, IDENTICAL, REFUSED

FINISHED = 'known.json'  # the last file of a reference that is written
# Kind -> its share of the rounds, in per cent.
SHARES = {
  'kills': 20,
  'finished': 30,
  'interrupted': 15,
  'pairs': 10,
  'configs': 15,
  'folders': 10,
}


def parse(argv):
  parser = argparse.ArgumentParser(
    prog='python -m tests.chaos', description=sys.modules['tests.chaos'].__doc__
  )
  add = parser.add_argument
  add('--rounds', type=int, default=100, help='in all, or of --kind')
  add('--seed', type=int, default=0, help='of all draws')
  add('--kind', choices=[*SHARES], help='only rounds of this kind')
  add('--only', type=int, help='only this round of --kind')
  add('--workers', type=int, default=2, help='rounds at a time')
  add('--keep', default='out/chaos', help='directory for failed rounds')
  add('--reference', help='directory of the reference; reused if it is there')
  add('--played', help='file of outcomes; only what failed is played again')
  options = parser.parse_args(argv)
  if options.only is not None and options.kind is None:
    parser.error('--only needs --kind')
  if options.reference and _is_something_else(options.reference):
    parser.error(
      f'--reference={options.reference} holds files but no finished'
      ' reference; remove it, or name a new directory'
    )
  return options


def _is_something_else(directory):
  return (
    os.path.isdir(directory)
    and bool(os.listdir(directory))
    and not os.path.exists(os.path.join(directory, FINISHED))
  )


def rounds(options):
  """(kind, number) of every round; kinds take turns."""
  if options.only is not None:
    return [(options.kind, options.only)]
  if options.kind is not None:
    return [(options.kind, number) for number in range(options.rounds)]
  counts = {kind: options.rounds * s // 100 for kind, s in SHARES.items()}
  counts['finished'] += options.rounds - sum(counts.values())
  found = [(kind, n) for kind, count in counts.items() for n in range(count)]
  return sorted(found, key=lambda one: (one[1] + 0.5) / counts[one[0]])


def play_all(options, left, folder):
  """Plays rounds; yields an Outcome of each, or the harness's own error."""
  # Imports JAX and the doors, which --help does not need.
  from tests.chaos import workers

  context = multiprocessing.get_context('spawn')
  with concurrent.futures.ProcessPoolExecutor(
    options.workers, mp_context=context
  ) as pool:
    if not (pathlib.Path(folder) / FINISHED).exists():
      print('making the reference', flush=True)
      pool.submit(workers.make_reference, folder).result()
    playing = {
      pool.submit(
        workers.play,
        kind,
        number,
        folder=folder,
        seed=options.seed,
        keep=os.path.abspath(options.keep),
      ): (kind, number)
      for kind, number in left
    }
    for future in concurrent.futures.as_completed(playing):
      yield *playing[future], future.exception() or future.result()


def main(argv):
  options = parse(argv)
  folder = options.reference or tempfile.mkdtemp(prefix='chaos-reference-')
  os.makedirs(folder, exist_ok=True)
  total, began = len(rounds(options)), time.monotonic()
  seconds = collections.Counter()
  verdicts = {kind: collections.Counter() for kind in SHARES}
  played = _read_played(options)
  for (kind, _), (verdict, took) in played.items():
    verdicts[kind][verdict] += 1
    seconds[kind] += took
  left = [one for one in rounds(options) if one not in played]
  for kind, number, outcome in play_all(options, left, folder):
    if isinstance(outcome, BaseException):
      verdict, why, took = FAILURE, f'the harness: {outcome!r}', 0.0
    else:
      verdict, why, took = outcome.verdict, outcome.why, outcome.seconds
    verdicts[kind][verdict] += 1
    seconds[kind] += took
    _write_played(options, kind, number, verdict, took)
    if verdict == FAILURE:
      print(
        f'\nfailure: --kind={kind} --seed={options.seed} --only={number}:'
        f' {why}\n  {options.keep}/{kind}-{number}/said.txt',
        flush=True,
      )
    _tell(verdicts, total, time.monotonic() - began)
  if not options.reference:
    shutil.rmtree(folder)
  print('\n\n' + table(verdicts, seconds))
  return 1 if _sum(verdicts)[FAILURE] else 0


def _read_played(options):
  """(kind, number) -> (verdict, seconds) of rounds that need not be played."""
  if not options.played or not os.path.exists(options.played):
    return {}
  lines = pathlib.Path(options.played).read_text().splitlines()
  found = {
    (line['kind'], line['number']): (line['verdict'], line['seconds'])
    for line in map(json.loads, lines)
    if line['seed'] == options.seed and line['verdict'] != FAILURE
  }
  return {one: found[one] for one in rounds(options) if one in found}


def _write_played(options, kind, number, verdict, took):
  if options.played:
    line = {
      'seed': options.seed,
      'kind': kind,
      'number': number,
      'verdict': verdict,
      'seconds': round(took, 1),
    }
    with open(options.played, 'a') as file:
      file.write(json.dumps(line) + '\n')


def _sum(verdicts):
  return sum(verdicts.values(), collections.Counter())


def _tell(verdicts, total, seconds):
  found = _sum(verdicts)
  done = sum(found.values())
  if not sys.stdout.isatty() and done % 20 and done != total:
    return
  words = ', '.join(f'{found[v]} {v}' for v in (IDENTICAL, REFUSED, FAILURE))
  start = '\r' if sys.stdout.isatty() else ''
  end = '' if sys.stdout.isatty() else '\n'
  line = f'{start}{done}/{total} rounds: {words}; {seconds:.0f} s '
  print(line, end=end, flush=True)


def table(verdicts, seconds):
  """The outcomes by kind, as Markdown."""
  lines = [
    '| kind | rounds | identical | refused | failures | seconds |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  rows = {kind: found for kind, found in verdicts.items() if found}
  for kind, found in {**rows, 'all': _sum(verdicts)}.items():
    spent = sum(seconds.values()) if kind == 'all' else seconds[kind]
    cells = [sum(found.values())]
    cells += [found[verdict] for verdict in (IDENTICAL, REFUSED, FAILURE)]
    words = ' | '.join(str(cell) for cell in (*cells, round(spent)))
    lines.append(f'| {kind} | {words} |')
  return '\n'.join(lines)


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
