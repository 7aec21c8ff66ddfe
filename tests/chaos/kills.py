"""Commands that are killed, once or several times, and run again."""

import pathlib

from tests.chaos import judge
from tests.chaos.rounds import SIGNALS
from tests.chaos.stages import COMMANDS

# Several times as long as the others.
_LONG = ('study', 'study unit')


def play(this):
  """Kills a command at random moments; then it must work as if never killed."""
  rng = this.rng
  name = rng.choice(
    [
      name
      for name, command in COMMANDS.items()
      if command.writes and (name not in _LONG or rng.random() < 0.6)
    ]
  )
  command = COMMANDS[name]
  this.copy('finished')
  command.undo(this.root)
  for _ in range(rng.choice((1, 1, 1, 2, 3))):
    _kill(this, name, rng.choice(SIGNALS))
  this.succeed(name, remedies_allowed=False)
  this.succeed(name, remedies_allowed=False)  # which has nothing left to do
  this.same(results_of(this.reference.results, command))


def _kill(this, name, signum):
  """By a clock, or before it touches a file, where most can go wrong."""
  rng = this.rng
  flags = this.flags(name)
  door = COMMANDS[name].door
  if rng.random() < 0.5:
    most = this.reference.touches[name]
    die = {
      'under': str(this.root),
      'at': rng.randrange(1, most + 1),
      'signum': signum,
    }
    running = this.start(door, *flags, die=die)
  else:
    running = this.start(door, *flags)
    after = rng.uniform(0, 1.05 * this.reference.seconds[name])
    running.wait(after)
    this.say(f'{signum!r} after {after:.2f} s of the processor')
    running.send(signum)
  judge.killed(this.note(running.end()), signum)


def results_of(names, command):
  """The results that are there once a command has run in a finished study.

  Those of commands that need its results were deleted with them.
  """
  return [
    name
    for name in names
    if not any(
      pathlib.PurePath(name).is_relative_to(stale) for stale in command.stale
    )
  ]
