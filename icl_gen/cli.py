"""The frame of a command: flags, the frozen config, and error messages.

The only file apart from the doors that imports absl and ml_collections. It
imports no room and nothing heavy, so config files may use `parse_variants`.
"""

import difflib
import errno
import importlib.util
import os
import pathlib
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import ml_collections
from absl import app, flags, logging
from ml_collections import config_flags

from icl_gen import joining, signals

# TensorFlow only reads and writes data sets here. Unless told not to before it
# is imported, it prints several lines at the start of every command; the
# second variable is for one that it prints before it reads the first.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')

# Longer messages quote a long text of the user's, and lose their middle.
_LONGEST_MESSAGE = 2000

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
  together: bool = False,
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
    together: whether several processes (joining.py) compute this together;
      otherwise the first one does, and the others wait for it.
  """
  choices, short = choices or {}, short or {}
  switches, texts = switches or {}, texts or {}
  prog = prog or _module_given()
  # In place, because ml_collections looks for overrides in sys.argv only.
  sys.argv[1:] = [short.get(arg, arg) for arg in sys.argv[1:]]
  _define_flags(choices, switches, texts)

  def parse(argv: list[str]) -> list[str]:
    debug = '--debug' in argv  # the flag itself is not parsed yet
    return _or_exit(lambda: _parse(argv, prog=prog), debug=debug)

  def call(argv: list[str]) -> None:
    del argv
    config = ml_collections.FrozenConfigDict(flags.FLAGS.config)
    # At its default level, orbax logs every step of every save.
    logging.set_verbosity(logging.WARNING)
    workdir = pathlib.Path(flags.FLAGS.workdir).expanduser()
    signals.catch()
    debug = flags.FLAGS.debug
    given = _values(joining.FLAGS)
    _or_exit(
      lambda: joining.join(given, together=together, debug=debug), debug=debug
    )
    with joining.joined(workdir, together=together) as is_ours:
      if is_ours:
        _or_exit(
          lambda: run(
            config, workdir, **_chosen(choices), **_values([*switches, *texts])
          ),
          debug=debug,
        )
      signals.release()

  app.run(call, flags_parser=parse)
  raise AssertionError('app.run does not return')


def _define_flags(
  choices: Mapping[str, Sequence[str]],
  switches: Mapping[str, str],
  texts: Mapping[str, str],
) -> None:
  flags.DEFINE_bool('debug', False, 'Show the traceback of every error.')
  flags.DEFINE_string('workdir', 'out', 'Where everything is written.')
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


def command(door: str) -> str:
  """Returns the command line of this process, for another door."""
  return shlex.join(['python', '-m', f'icl_gen.{door}', *sys.argv[1:]])


def parse_variants(arg: str, known: Sequence[str]) -> tuple[str, ...]:
  """Splits the variants after `configs/x.py:`, in the order given.

  Args:
    arg: variants separated by commas; '' for none.
    known: the config file's VARIANTS.

  Raises:
    ValueError: a variant is unknown or given twice.
  """
  variants = tuple(v.strip() for v in arg.split(',')) if arg else ()
  for variant in variants:
    if variant not in known:
      raise ValueError(
        f'unknown variant {variant!r}{_nearest(variant, known)}; allowed are:'
        f' {", ".join(known) or "none"}'
      )
    if variants.count(variant) > 1:
      raise ValueError(f'variant {variant!r} is given twice in {arg!r}')
  return variants


def _or_exit[T](function: Callable[[], T], *, debug: bool) -> T:
  """Calls a function; exits with a message if the user can act on its error."""
  try:
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
    _exit_with(f'error: {error}')
  except AttributeError as error:
    if debug or not _is_missing_key(error):
      raise
    _exit_with(
      f'error: the config has no key {_key(error)}, which this command reads:'
      ' is it the config of another command?'
    )


def _exit_with(message: str) -> NoReturn:
  print(f'{_cut(message)}\n(--debug shows where)', file=sys.stderr)
  sys.exit(_MISTAKE)


def _cut(message: str) -> str:
  left_out = len(message) - _LONGEST_MESSAGE
  if left_out <= 0:
    return message
  half = _LONGEST_MESSAGE // 2
  return (
    f'{message[:half]} ... [{left_out:,} characters left out] ...'
    f' {message[-half:]}'
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


def _parse(argv: list[str], *, prog: str) -> list[str]:
  """Parses the flags; a mistake is a ValueError that says what is allowed."""
  # First the config alone: ml_collections would bury a mistake in the config
  # file, or in the name of a key, in a traceback.
  first = flags.FlagValues()
  flags.DEFINE_string('config', None, '', flag_values=first)
  wants_help = any(re.match(r'--?help', arg) for arg in argv)
  try:
    first(argv, known_only=True)
    if first.config is None and not wants_help:
      raise ValueError(
        'no --config given; choose an experiment, e.g.'
        f' python -m {prog} --config=configs/reversal.py'
      )
    if first.config is not None:
      _check_keys(_load(first.config), argv, path=first.config.split(':')[0])
    rest: list[str] = flags.FLAGS(argv)
  except flags.Error as error:
    raise ValueError(str(error)) from error
  if len(rest) > 1:
    raise ValueError(
      f'unexpected {" ".join(rest[1:])!r}; everything is given as'
      ' --config.<key>=<value>'
    )
  return rest


def _load(given: str) -> ml_collections.ConfigDict:
  """The config that `path[:variants]` stands for, without overrides."""
  path, *variants = given.split(':', 1)
  if not os.path.isfile(path):
    others = sorted(str(p) for p in pathlib.Path('configs').glob('*.py'))
    raise ValueError(
      f'no config file {path!r}{_nearest(path, others)}; there are:'
      f' {", ".join(others) or "none under ./configs"}'
    )
  spec = importlib.util.spec_from_file_location('config_config', path)
  if spec is None or spec.loader is None:
    raise ValueError(f'config file {path!r} is not a Python file (*.py)')
  module = importlib.util.module_from_spec(spec)
  try:
    spec.loader.exec_module(module)
    if not hasattr(module, 'get_config'):
      raise ValueError(
        f'{path!r} has no get_config; experiments are the files that have one'
      )
    return module.get_config(*variants)
  except SyntaxError as error:
    where = f'{error.filename}, line {error.lineno}'
    raise ValueError(f'{where}: {error.msg}') from error
  except (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    TypeError,
  ) as error:
    raise ValueError(
      f'{path}, line {_line(error, path)}: {type(error).__name__}: {error}'
    ) from error


def _line(error: Exception, path: str) -> int | None:
  """The last line of a file that an error passed through."""
  frames = traceback.extract_tb(error.__traceback__)
  own = os.path.realpath(path)
  lines = [f.lineno for f in frames if os.path.realpath(f.filename) == own]
  return lines[-1] if lines else frames[-1].lineno


def _check_keys(
  config: ml_collections.ConfigDict, argv: Sequence[str], *, path: str
) -> None:
  """Raises ValueError for an override of a key that the config lacks."""
  for arg in argv[1:]:
    if arg == '--':
      return
    override = re.match(r'--?(?:no)?config\.([^=]+)', arg)
    if override:
      _check_key(config, override[1], path=path)


def _check_key(
  config: ml_collections.ConfigDict, key: str, *, path: str
) -> None:
  block, above = config, ''
  for name in re.sub(r'\[.*?\]', '', key).split('.'):
    if not isinstance(block, ml_collections.ConfigDict) or name not in block:
      raise ValueError(
        f'{path} has no key {key!r}{_nearest(key, _leaves(config))};'
        f' {_allowed(block, above)}'
      )
    block, above = block[name], f'{above}.{name}'.lstrip('.')
  if isinstance(block, ml_collections.ConfigDict):
    raise ValueError(
      f'{key!r} is a block of keys; set one of them:'
      f' {", ".join(f"{key}.{name}" for name in sorted(block))}'
    )


def _allowed(block: Any, above: str) -> str:
  """What a config has under a dotted key, for a message."""
  if not isinstance(block, ml_collections.ConfigDict):
    return f'{above!r} is a value, not a block of keys'
  what = f'keys of {above!r}' if above else 'keys'
  return f'{what}: {", ".join(sorted(block))}'


def _leaves(
  config: ml_collections.ConfigDict, above: str = ''
) -> Iterator[str]:
  """Dotted names of all keys that hold values."""
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      yield from _leaves(value, f'{above}{name}.')
    else:
      yield above + name


def _nearest(word: str, words: Iterable[str]) -> str:
  near = difflib.get_close_matches(word, list(words), n=3, cutoff=0.6)
  return f' (did you mean {" or ".join(map(repr, near))}?)' if near else ''


def _module_given() -> str:
  spec = sys.modules['__main__'].__spec__
  return spec.name if spec else pathlib.Path(sys.argv[0]).name
