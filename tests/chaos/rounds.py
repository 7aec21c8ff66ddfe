"""One round: its own directory, its draws, and a record of all that is done."""

import contextlib
import dataclasses
import pathlib
import random
import shutil
import signal
import tempfile
import time

from tests.chaos import damage, judge, remedies, results
from tests.chaos.judge import FAILURE, IDENTICAL, REFUSED, Failure
from tests.chaos.settings import NAME
from tests.chaos.stages import COMMANDS

# Refusals in a row, each with a remedy, until a command works. After another
# corpus was built, each of a study's eleven stages refuses once.
_MOST_REMEDIES = 14
# Commands that a message names may refuse too, and name others.
_DEEPEST = 3


@dataclasses.dataclass(frozen=True)
class Outcome:
  """How a round ended.

  Attributes:
    kind, number: which round.
    verdict: IDENTICAL, REFUSED or FAILURE.
    why: of a failure.
    seconds: how long it took.
  """

  kind: str
  number: int
  verdict: str
  why: str
  seconds: float


class Round:
  """What the kinds of rounds draw from and act with.

  Attributes:
    rng: the draws; the same for the same seed, kind and number.
    reference: a `reference.Reference`.
    folder: the round's own directory.
    root: directory of the study in it.
  """

  def __init__(self, name, folder, reference, *, commands, model):
    self.rng = random.Random(name)
    self.reference, self.folder = reference, folder
    self.root = folder / 'out' / 'study'
    self.model = model
    self.refused = False
    self._commands = commands
    self._said = [name]

  def say(self, *lines):
    self._said += [str(line) for line in lines]

  @property
  def said(self):
    return '\n'.join(self._said) + '\n'

  def copy(self, name):
    """Makes `root` a copy of a state of the reference."""
    shutil.rmtree(self.root, ignore_errors=True)
    shutil.copytree(self.reference.state(name), self.root, symlinks=True)

  def flags(self, name):
    return COMMANDS[name].flags(self.root, self.model)

  def start(self, door, *flags, **options):
    """Starts a door; `note` its end."""
    self.say(f'$ python -m icl_gen.{door} {" ".join(flags)}', options or '')
    return self._commands.start(door, *flags, **options)

  def note(self, ended):
    """Records how a command ended, and returns it."""
    self.say(
      f'-> {ended.code} after {ended.seconds:.1f} s ({ended.took:.1f} s of'
      ' the processor)',
      ended.stdout[-1500:],
      ended.stderr[-6000:],
    )
    return ended

  def call(self, door, *flags, **options):
    return self.note(self.start(door, *flags, **options).end())

  def succeed(self, name, *more, remedies_allowed=True):
    """Runs a command until it works, following what its messages say.

    Args:
      name: in COMMANDS.
      *more: further flags.
      remedies_allowed: whether it may refuse at all.

    Raises:
      Failure: it broke, or no remedy helped.
    """
    door = COMMANDS[name].door
    seen = []
    for _ in range(_MOST_REMEDIES):
      ended = self.call(door, *self.flags(name), *more)
      if judge.ended(ended) == IDENTICAL:
        return
      self.refused = True
      if not remedies_allowed:
        raise Failure(f'{name} refused: {ended.stderr.strip()}')
      messages = self._messages(ended, verifies='--verify' in more)
      said = [told for m in messages for told in self._follow(m)]
      if said in seen:
        self._restore(messages)
      seen.append(said)
      if '--verify' in more:
        self.succeed(name)  # which makes again what was deleted
    raise Failure(f'{name} still refuses after {_MOST_REMEDIES} remedies')

  def _messages(self, ended, *, verifies):
    if not verifies:
      return [judge.message(ended)]
    named = [
      line for line in ended.stdout.split('\n') if '; to repair: ' in line
    ]
    return named or [judge.message(ended)]

  def _follow(self, message, depth=0):
    """Does what a message says, and what the doors say that it names.

    Returns:
      the message and theirs; the same again if nothing changed.
    """
    remedy = remedies.read(message, self.root)
    self.say(f'remedy: {remedy}', *remedies.delete(remedy))
    told = [message]
    for door in remedy.doors:
      name = self._named(door, message)
      if name is not None:
        ended = self.call(COMMANDS[name].door, *self.flags(name))
        if judge.ended(ended) == REFUSED and depth < _DEEPEST:
          told += self._follow(judge.message(ended), depth + 1)
    return told

  def _named(self, door, message):
    """The command that a message means by the name of a door."""
    own, run = str(self.root / 'own') in message, f'+{NAME}' in message
    # Of own documents, the study runs the other doors.
    likely = [f'{door} own', 'study own'] if own else []
    likely += [f'{door} {NAME}'] if run else []
    for name in (*likely, door):
      if name in COMMANDS:
        return name
    fits = [c.name for c in COMMANDS.values() if c.door == door]
    said = [n for n in fits if f'reversal-{n.split()[-1]}-' in message]
    said += [n for n in fits if f'-{n.split()[-1]}/' in message]
    return said[0] if said else None

  def _restore(self, messages):
    """'Restore it from a copy': the last resort of a message without one."""
    for message in messages:
      if 'restore' not in message and 'elete' in message:
        raise Failure(f'its remedy does not help: {message}')
      for path in remedies.paths(message, self.root):
        original = self.reference.state('finished') / path.relative_to(
          self.root
        )
        if original.exists():
          damage.restore(path, original)
          self.say(f'restored {path}')

  def same(self, names=None):
    """Checks that the results are those of the reference.

    Args:
      names: those to compare; None: all.

    Raises:
      Failure: one is not; names them.
    """
    wanted = self.reference.results
    if names is not None:
      wanted = {name: wanted[name] for name in names}
    if found := results.differences(results.of_study(self.root), wanted):
      raise Failure('results differ: ' + '; '.join(found))


def play(kind, number, *, seed, play_one, reference, commands, keep):
  """Plays a round.

  Args:
    kind: the kind of round.
    number: which of them.
    seed: of all rounds.
    play_one: what a round of this kind does.
    reference: a `reference.Reference`.
    commands: a `commands.Commands`.
    keep: directory for rounds that failed.

  Returns:
    the Outcome.
  """
  began = time.monotonic()
  folder = pathlib.Path(tempfile.mkdtemp(prefix=f'chaos-{kind}-{number}-'))
  name = f'--kind={kind} --seed={seed} --only={number}'
  this = Round(
    name, folder, reference, commands=commands, model=reference.model_flags
  )
  verdict, why = FAILURE, ''
  try:
    play_one(this)
    verdict = REFUSED if this.refused else IDENTICAL
  except Failure as error:
    why = str(error)
  finally:  # also after a mistake of the harness itself
    if verdict == FAILURE:
      this.say(f'failure: {why}')
      _keep(this, pathlib.Path(keep) / f'{kind}-{number}')
    shutil.rmtree(folder, ignore_errors=True)
  return Outcome(kind, number, verdict, why, time.monotonic() - began)


def _keep(this, kept):
  shutil.rmtree(kept, ignore_errors=True)
  kept.mkdir(parents=True)
  (kept / 'said.txt').write_text(this.said, encoding='utf-8')
  with contextlib.suppress(OSError, shutil.Error):
    shutil.move(this.folder, kept / 'folder')


SIGNALS = (signal.SIGKILL, signal.SIGTERM)
