"""What runs in the processes that play rounds."""

import functools
import os
import pathlib

from tests.chaos import (
  configs,
  damages,
  folders,
  kills,
  pairs,
  reference,
  rounds,
)
from tests.chaos.commands import Commands

_PLAYERS = {
  'kills': kills.play,
  'finished': damages.finished,
  'interrupted': damages.interrupted,
  'pairs': pairs.play,
  'configs': configs.play,
  'folders': folders.play,
}


@functools.cache
def _commands(folder):
  """The commands of this process."""
  return Commands(
    pathlib.Path(folder) / f'commands-{os.getpid()}',
    compiled=pathlib.Path(folder) / 'compiled',
  )


def make_reference(folder):
  """Makes the reference in a directory."""
  reference.make(pathlib.Path(folder))


def play(kind, number, *, folder, seed, keep):
  """Plays a round; returns its Outcome."""
  return rounds.play(
    kind,
    number,
    seed=seed,
    play_one=_PLAYERS[kind],
    reference=reference.Reference(folder),
    commands=_commands(folder),
    keep=keep,
  )
