"""Two commands at once on the same files."""

from tests.chaos import judge
from tests.chaos.rounds import SIGNALS
from tests.chaos.settings import NAME
from tests.chaos.stages import COMMANDS

# Of different doors: those where one reads or writes what the other does.
_DIFFERENT = (
  ('build', 'augment'),
  ('build', 'train ft'),
  ('build', 'export hf'),
  ('augment', 'train ft_aug'),
  ('train ft', 'evaluate ft'),
  ('train ft', 'train ft_aug'),
  ('evaluate icl', 'report'),
  ('evaluate ft', 'study'),
  ('augment', 'study'),
  ('train ft', 'study'),
  ('build', 'study'),
  ('report', 'study'),
  ('study unit', 'study'),
  ('study unit', 'train ft'),
  ('augment', f'augment {NAME}'),
  (f'train {NAME}', 'train ft_aug'),
  (f'train {NAME}', 'study'),
  ('report own', 'study own'),
  ('study own', 'study'),
  ('status', 'study'),
  ('status', 'train ft'),
  ('launch', 'study'),
)
_SOON = 0.05


def play(this):
  """Starts two commands; afterwards, both must work, with the same results."""
  rng = this.rng
  names = _draw(rng)
  this.copy('finished')
  for name in names:
    COMMANDS[name].undo(this.root)
  lasts = max(this.reference.seconds[name] for name in names)
  after = rng.choice((0, rng.uniform(0, _SOON), rng.uniform(0, lasts)))
  first = this.start(COMMANDS[names[0]].door, *this.flags(names[0]))
  first.wait(after)
  second = this.start(COMMANDS[names[1]].door, *this.flags(names[1]))
  killed = None
  if rng.random() < 0.25:
    killed, signum = rng.choice((first, second)), rng.choice(SIGNALS)
    killed.wait(rng.uniform(0, lasts))
    killed.send(signum)
  worked = 0
  for running in (first, second):
    ended = this.note(running.end())
    if running is killed and ended.code != judge.MISTAKE:  # it ended before
      judge.killed(ended, signum)
    else:
      verdict = judge.ended(ended)
      worked += verdict == judge.IDENTICAL
      this.refused |= verdict == judge.REFUSED
  if not worked and killed is None:
    raise judge.Failure('neither command worked')
  _finish(this, names)


def _draw(rng):
  if rng.random() < 0.5:
    writing = [name for name, one in COMMANDS.items() if one.writes]
    return (rng.choice(sorted(writing)),) * 2
  pair = list(rng.choice(_DIFFERENT))
  rng.shuffle(pair)
  return tuple(pair)


def _finish(this, names):
  """Runs both again, and everything that may need what they wrote."""
  order = [name for name in COMMANDS if name in names]
  # A report of own documents needs the study that may have been killed.
  order.sort(key=lambda name: name == 'report own')
  for name in order:
    this.succeed(name, remedies_allowed=False)
  if any(COMMANDS[name].stale for name in order):
    this.succeed('study', remedies_allowed=False)
  this.same()
