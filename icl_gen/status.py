"""Says where a study is: stages done, running, failed and to do; time left.

python -m icl_gen.status --workdir=out

The study may be running here or elsewhere, or not at all. Nothing is changed.
"""

import collections
import pathlib
import textwrap
from collections.abc import Sequence

import ml_collections

from icl_gen import cli
from icl_gen.runs import states, units
from icl_gen.runs.states import STATES, State


def run(
  config: ml_collections.FrozenConfigDict | None, workdir: pathlib.Path
) -> None:
  """Prints where the stages of all studies in the workdir are."""
  del config  # a study's own record says what it is
  roots = [path.parent for path in sorted(workdir.glob('*/study.json'))]
  if not roots:
    raise ValueError(
      f'no study in {str(workdir)!r}: give the --workdir of `python -m'
      ' icl_gen.study` or `python -m launch`, which must have been started'
    )
  for root in roots:
    _print(root, states.states(units.recorded(root), root))


def _print(root: pathlib.Path, found: Sequence[State]) -> None:
  counts = collections.Counter(one.what for one in found)
  told = ', '.join(f'{counts[what]} {what}' for what in STATES)
  left = states.time_left(found)
  eta = '' if left is None else f'; about {left} to go'
  print(f'{root}: {len(found)} stages: {told}{eta}')
  for what in ('running', 'failed'):
    for one in found:
      if one.what == what:
        print(f'{what}: {one.name}: {one.note}')
  for what in ('done', 'to do'):
    for door in dict.fromkeys(one.job.door for one in found):
      _print_names(what, door, found)


def _print_names(what: str, door: str, found: Sequence[State]) -> None:
  """Prints the directories of one door's stages in one state."""
  names = [
    one.job.result.parent.name
    for one in found
    if (one.what, one.job.door) == (what, door)
  ]
  if names:
    text = f'{what}: {door}: {", ".join(names)}'
    print(
      textwrap.fill(text, 80, subsequent_indent='  ', break_on_hyphens=False)
    )


if __name__ == '__main__':
  cli.main(run, needs_config=False)
