"""The frame of a command: flags, the frozen config, help, error messages.

The only file apart from the doors that imports absl. It imports nothing heavy,
and a room for --help alone, so config files may use `parse_variants`.
"""

import errno
import functools
import os
import pathlib
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import ml_collections
from absl import app, flags, logging
from ml_collections import config_flags

from icl_gen import config_files, joining, signals, workdirs

# TensorFlow only reads and writes data sets here. Unless told not to before it
# is imported, it prints several lines at the start of every command; the
# second variable is for one that it prints before it reads the first.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')

# Of a flag, in --help.
_LONGEST_DEFAULT = 60

_HELP = {'--help', '-help', '-h', '--helpshort'}

_WORKDIR = 'out'
# Directories are named after worlds and models, so that a try-out would be in
# the way of the experiment.
_WORKDIR_OF_TINY = 'out/tiny'

# What is longer loses its middle.
_LONGEST_MESSAGE = 1500
_LONGEST_QUOTE = 300
_LONGER = f'{{{_LONGEST_QUOTE + 1},}}'
_QUOTED = (
  re.compile(rf"'[^']{_LONGER}'"),
  re.compile(rf'"[^"]{_LONGER}"'),
  re.compile(rf'[(\[{{][^()\[\]{{}}]{_LONGER}[)\]}}]'),
  re.compile(rf'\S{_LONGER}'),
)

_MISTAKE = 2
_DISK_FULL = 3

# What an interrupted command leaves, unless it says so itself.
_KEPT = (
  're-run the command to resume: complete stages are kept, training resumes'
  ' from its last checkpoint, scoring and sampling after the last complete'
  ' part; other stages start again'
)


def main(
  run: Callable[..., None],
  *,
  prog: str | None = None,
  choices: Mapping[str, Sequence[str]] | None = None,
  switches: Mapping[str, str] | None = None,
  texts: Mapping[str, str] | None = None,
  short: Mapping[str, str] | None = None,
  needs_config: bool = True,
  together: bool = False,
  tolerant: str = '',
) -> NoReturn:
  """Runs a door from the command line and exits.

  Exit codes: 0 success; 2 a mistake in the config, the flags or the data
  (printed as `error: ...`, with a traceback only if --debug is given); 3 disk
  full; 4 another process of the run was lost; 130 Ctrl-C and 143 SIGTERM, after
  which the same command resumes; a second one ends the process at once.
  Anything else is a bug and ends in its traceback.

  Args:
    run: the door's function; called with the frozen config and the workdir.
    prog: the door's name in messages; None: the module that Python runs.
    choices: further flags of this door and their allowed values. They are
      required, and passed to `run` as keywords.
    switches: further flags of this door that are given or not -> what they do,
      for --help. They are passed to `run` as keywords, True if given.
    texts: further flags of this door that take any text -> what each is for.
      They are passed to `run` as keywords, '' if not given.
    short: short form -> the override of the config that it stands for.
    needs_config: whether --config must be given; without, `run` gets None.
    together: whether several processes (joining.py) compute this together;
      otherwise the first one does, and the others wait for it.
    tolerant: the switch with which damage in a bucket is for `run` to find;
      otherwise it is an error.
  """
  choices, short = choices or {}, short or {}
  switches, texts = switches or {}, texts or {}
  prog = prog or _module_given()
  if _HELP.intersection(sys.argv[1:]):
    text = sys.modules['__main__'].__doc__ or ''
    own = _own_flags(choices, switches, texts)
    _or_exit(lambda: _print_help(text, own, sys.argv), debug=False)
    sys.exit(0)
  # In place, because ml_collections looks for overrides in sys.argv only.
  sys.argv[1:] = [short.get(arg, arg) for arg in sys.argv[1:]]
  _define_flags(choices, switches, texts)

  def parse(argv: list[str]) -> list[str]:
    debug = '--debug' in argv  # the flag itself is not parsed yet
    return _or_exit(
      lambda: _parse(argv, prog=prog, needs_config=needs_config), debug=debug
    )

  def call(argv: list[str]) -> None:
    del argv
    # At its default level, orbax logs every step of every save.
    logging.set_verbosity(logging.WARNING)
    signals.catch()
    workdir, debug = flags.FLAGS.workdir, flags.FLAGS.debug
    join = functools.partial(
      joining.join, _values(joining.FLAGS), together=together, debug=debug
    )

    def work() -> None:
      own = _chosen(choices) | _values([*switches, *texts])
      verifies = own.get(tolerant, False)
      with workdirs.opened(workdir, tolerant=verifies) as directory:
        run(_config(), directory, **own)

    _or_exit(join, debug=debug)
    shared = functools.partial(workdirs.require_shared, workdir)
    check = functools.partial(_or_exit, shared, debug=debug)
    with joining.joined(check, together=together) as is_ours:
      if is_ours:
        _or_exit(work, debug=debug)
      signals.release()

  app.run(signals.without_waiting()(call), flags_parser=parse)
  raise AssertionError('app.run does not return')


def _config() -> ml_collections.FrozenConfigDict | None:
  given = flags.FLAGS.config
  return ml_collections.FrozenConfigDict(given) if given else None


def _define_flags(
  choices: Mapping[str, Sequence[str]],
  switches: Mapping[str, str],
  texts: Mapping[str, str],
) -> None:
  flags.DEFINE_bool('debug', False, 'Show the traceback of every error.')
  flags.DEFINE_string('workdir', _WORKDIR, 'Where everything is written.')
  config_flags.DEFINE_config_file(
    'config', None, 'configs/<experiment>.py[:variant,...]'
  )
  for name, allowed in choices.items():
    flags.DEFINE_enum(name, None, list(allowed), 'Required.')
  for name, what in switches.items():
    flags.DEFINE_bool(name, False, what)
  for name, what in texts.items():
    flags.DEFINE_string(name, '', what)
  for name, (default, what) in joining.FLAGS.items():
    if isinstance(default, int):
      flags.DEFINE_integer(name, default, what)
    else:
      flags.DEFINE_string(name, default, what)
  own = (*choices, *switches, *texts, *joining.FLAGS)
  for name in ('debug', 'workdir', 'config', *own):  # for --help
    flags.FLAGS.register_key_flag_for_module(sys.argv[0], flags.FLAGS[name])


def _own_flags(
  choices: Mapping[str, Sequence[str]],
  switches: Mapping[str, str],
  texts: Mapping[str, str],
) -> dict[str, str]:
  """Flags as they are given -> what they are for."""
  return {
    '--config=FILE.py[:variant,...]': 'The experiment; see configs/.',
    '--config.KEY=VALUE': 'Another value for a key of the config; see below.',
    f'--workdir={_WORKDIR}': (
      'Where everything is written, a directory or gs://BUCKET/PATH; of the'
      f' variant `tiny`, {_WORKDIR_OF_TINY}.'
    ),
    **{
      f'--{name}={"|".join(allowed)}': 'Required.'
      for name, allowed in choices.items()
    },
    **{f'--{name}': what for name, what in switches.items()},
    **{f'--{name}=TEXT': what for name, what in texts.items()},
    **dict(map(_told, flags.FLAGS.get_key_flags_for_module(sys.argv[0]))),
    **{f'--{name}=VALUE': what for name, (_, what) in joining.FLAGS.items()},
    '--debug': 'Show the traceback of every error.',
  }


def _told(flag: flags.Flag[Any]) -> tuple[str, str]:
  """A flag that the door defined by itself, and what it is for."""
  # absl puts the allowed values of a flag before its help.
  what = re.sub(r'^<[^>]*>: ', '', flag.help)
  if flag.boolean:
    return f'--{flag.name}', what
  value = '|'.join(getattr(flag.parser, 'enum_values', None) or ())
  if not value and flag.default not in (None, ''):
    value = str(flag.default)
  if not value or len(value) > _LONGEST_DEFAULT:
    value = 'VALUE'
  return f'--{flag.name}={value}', what


def _print_help(text: str, own: Mapping[str, str], argv: Sequence[str]) -> None:
  """Prints what a door does, its flags, and the keys of its config.

  Args:
    text: the door's docstring; without --config in the flags, its first example
      says whose keys are shown.
    own: flags -> what they are for.
    argv: the command line.
  """
  # What `| head` leaves unread is no mistake.
  signal.signal(signal.SIGPIPE, signal.SIG_DFL)
  print(f'{text.strip()}\n\nFlags:')
  for flag, what in own.items():
    print(f'  {flag}\n      {what}')
  found = re.search(r'--config[= ](\S+)', ' '.join([*argv, text]))
  if not found or not os.path.isfile(found[1].partition(':')[0]):
    print('\nWith --config=FILE.py and --help, its keys are listed here.')
    return
  given = found[1]
  path = given.partition(':')[0]
  values = config_files.load(given).to_dict()
  source = pathlib.Path(path).read_text('utf-8')
  variants = re.search(r'VARIANTS = \(([^)]*)\)', source)
  # Imported here: no command needs it otherwise.
  from icl_gen.runs import manual

  if variants:
    names = ', '.join(re.findall(r"'(\w+)'", variants[1]))
    print(f'\nVariants of {path}: {names}')
  print(f'\nKeys of {given}, with their values:')
  print(*manual.lines(values, source), sep='\n')


def command(door: str) -> str:
  """Returns the command line of this process, for another door."""
  return shlex.join(['python', '-m', f'icl_gen.{door}', *sys.argv[1:]])


def parse_variants(
  arg: str, known: Sequence[str], *, exclusive: Iterable[Sequence[str]] = ()
) -> tuple[str, ...]:
  """Splits the variants after `configs/x.py:`, in the order given.

  Args:
    arg: variants separated by commas; '' for none.
    known: the config file's VARIANTS.
    exclusive: groups of variants of which one at most may be given, as each
      would undo the others.

  Raises:
    ValueError: a variant is unknown or given twice, or two exclude each other.
  """
  variants = tuple(v.strip() for v in arg.split(',')) if arg else ()
  for variant in variants:
    if variant not in known:
      raise ValueError(
        f'unknown variant {variant!r}'
        f'{config_files.nearest(variant, known)}; allowed are:'
        f' {", ".join(known) or "none"}'
      )
    if variants.count(variant) > 1:
      raise ValueError(f'variant {variant!r} is given twice in {arg!r}')
  for group in exclusive:
    if len(found := [v for v in variants if v in group]) > 1:
      raise ValueError(
        f'variants {" and ".join(found)} in {arg!r} exclude each other: give'
        f' at most one of {", ".join(group)}'
      )
  return variants


def _or_exit[T](function: Callable[[], T], *, debug: bool) -> T:
  """Calls a function; exits with a message if the user can act on its error."""
  try:
    with signals.unwrapped():
      return function()
  except KeyboardInterrupt as error:
    if not isinstance(error, signals.Interrupted):
      error = signals.Interrupted(signal.SIGINT)
    print(f'\n{error}; {error.kept or _KEPT}', file=sys.stderr)
    signals.release()
    sys.exit(error.status)
  except (ValueError, OSError, FloatingPointError, RuntimeError) as error:
    if debug:
      raise
    if _is_disk_full(error):
      print(
        f'error: the disk is full: {error}\nFree some space and re-run the'
        ' command to resume.',
        file=sys.stderr,
      )
      sys.exit(_DISK_FULL)
    if isinstance(error, RuntimeError):
      joining.wait_for_reason()
      raise
    if isinstance(error, IsADirectoryError) and error.filename:
      _exit_with(
        f'error: {str(error.filename)!r} is a directory where a file is'
        ' expected; move or delete it and re-run the command'
      )
    _exit_with(f'error: {error}')
  except AttributeError as error:
    if debug or not _is_missing_key(error):
      raise
    _exit_with(
      f'error: the config has no key {_key(error)}, which this command reads:'
      ' is it the config of another command?'
    )


def _exit_with(message: str) -> NoReturn:
  print(f'{_shortened(message)}\n(--debug shows where)', file=sys.stderr)
  sys.exit(_MISTAKE)


def _shortened(message: str) -> str:
  """A message on one line, in which what it quotes of the user's is cut.

  Long is a quoted text, a list in brackets, or a run without white space, of
  more than `_LONGEST_QUOTE` characters; and the message as a whole.
  """
  # Values and file names may have line breaks, and pretend to be messages.
  message = message.replace('\n', '\\n')
  for quoted in _QUOTED:
    message = quoted.sub(lambda found: _cut(found[0], _LONGEST_QUOTE), message)
  return _cut(message, _LONGEST_MESSAGE)


def _cut(text: str, most: int) -> str:
  left_out = len(text) - most
  if left_out <= 0:
    return text
  half = most // 2
  return (
    f'{text[:half]} ... [{left_out:,} characters left out] ... {text[-half:]}'
  )


def _is_missing_key(error: AttributeError) -> bool:
  """Whether a missing attribute is a missing key of a config."""
  *_, (frame, _) = traceback.walk_tb(error.__traceback__)
  module: str = frame.f_globals['__name__']
  return module.startswith('ml_collections')


def _key(error: AttributeError) -> str:
  """The key in an error of ml_collections, whose text may quote it twice."""
  found = re.search(r'\w+', str(error))
  return repr(found[0]) if found else str(error)


def _chosen(choices: Mapping[str, Sequence[str]]) -> dict[str, str]:
  """Name -> value of the door's own flags."""
  chosen = {}
  for name, allowed in choices.items():
    value = flags.FLAGS[name].value
    if value is None:
      raise ValueError(f'no --{name} given; allowed are {", ".join(allowed)}')
    chosen[name] = value
  return chosen


def _values(names: Iterable[str]) -> dict[str, Any]:
  """Name -> value of flags of the door that have a default."""
  return {name: flags.FLAGS[name].value for name in names}


def _is_disk_full(error: BaseException | None) -> bool:
  """Whether an error, or its cause, is a full disk or an exhausted quota.

  Libraries that write through C++ (tensorstore, jax) report it in the text of
  a ValueError or a RuntimeError.
  """
  while error is not None:
    if isinstance(error, OSError):
      if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    elif os.strerror(errno.ENOSPC) in str(error):
      return True
    error = error.__cause__ or error.__context__
  return False


def _parse(
  argv: list[str], *, prog: str, needs_config: bool = True
) -> list[str]:
  """Parses the flags; a mistake is a ValueError that says what is allowed."""
  # First the config alone: ml_collections would bury a mistake in the config
  # file, or in the name of a key, in a traceback.
  first = flags.FlagValues()
  flags.DEFINE_string('config', None, '', flag_values=first)
  wants_help = any(re.match(r'--?help', arg) for arg in argv)
  try:
    first(argv, known_only=True)
    if first.config is None and needs_config and not wants_help:
      raise ValueError(
        'no --config given; choose an experiment, e.g.'
        f' python -m {prog} --config=configs/reversal.py'
      )
    if first.config is not None:
      config_files.check_keys(
        config_files.load(first.config), argv, path=first.config.split(':')[0]
      )
    rest: list[str] = flags.FLAGS(argv)
    if flags.FLAGS['workdir'].using_default_value and _is_tiny(first.config):
      flags.FLAGS['workdir'].value = _WORKDIR_OF_TINY
  except flags.Error as error:
    raise ValueError(str(error)) from error
  if len(rest) > 1:
    raise ValueError(
      f'unexpected {" ".join(rest[1:])!r}; everything is given as'
      ' --config.<key>=<value>'
    )
  return rest


def _is_tiny(given: str | None) -> bool:
  """Whether `path[:variants]` has the variant that only tries things out."""
  variants = (given or '').partition(':')[2].split(',')
  return 'tiny' in [variant.strip() for variant in variants]


def _module_given() -> str:
  spec = sys.modules['__main__'].__spec__
  return spec.name if spec else pathlib.Path(sys.argv[0]).name
