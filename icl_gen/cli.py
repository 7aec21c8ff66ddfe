"""The frame of a door: flags, the frozen config, and messages for mistakes.

The only file beside the doors that knows absl and ml_collections. It knows no
room, and imports nothing heavy, so config files may use `parse_variants`.
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
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import ml_collections
from absl import app, flags, logging
from ml_collections import config_flags

import icl_gen

# tensorflow, which only reads and writes data sets here, greets every command
# with several lines unless told not to before it is imported. The second
# greeting comes before it has read the level of the first.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')

_MISTAKE = 2
_DISK_FULL = 3
_INTERRUPTED = 130  # What shells report after Ctrl-C.


def main(
  run: Callable[..., None],
  *,
  prog: str | None = None,
  choices: Mapping[str, Sequence[str]] | None = None,
  short: Mapping[str, str] | None = None,
) -> NoReturn:
  """Runs a door from the command line and exits.

  Exit codes: 0 done; 2 a mistake in the config, the flags or the data (printed
  as `error: ...`, no traceback unless --debug); 3 disk full; 130 Ctrl-C.
  Anything else is a bug of ours and ends in its traceback.

  Args:
    run: the door's function. Given the frozen config and the workdir.
    prog: the door's name in messages; None: the module that Python was given.
    choices: flags of the door's own with the values that they may have; they
      must be given, and `run` is given them as keywords.
    short: a short form -> the override of the config that it stands for.
  """
  choices, short = choices or {}, short or {}
  prog = prog or _module_given()
  # In place: ml_collections looks for overrides here, whatever it is given.
  sys.argv[1:] = [short.get(arg, arg) for arg in sys.argv[1:]]
  flags.DEFINE_bool('debug', False, 'Show the traceback of every error.')
  flags.DEFINE_string('workdir', 'out', 'Where everything is written.')
  config_flags.DEFINE_config_file(
    'config', None, 'configs/<experiment>.py[:variant,...]'
  )
  for name, allowed in choices.items():
    flags.DEFINE_enum(name, None, list(allowed), 'What is wanted.')
  for name in ('debug', 'workdir', 'config', *choices):  # For --help.
    flags.FLAGS.register_key_flag_for_module(sys.argv[0], flags.FLAGS[name])

  def parse(argv):
    # The flag itself is not parsed yet.
    debug = '--debug' in argv
    return _or_exit(lambda: _parse(argv, prog=prog), debug=debug)

  def call(argv):
    del argv
    config = ml_collections.FrozenConfigDict(flags.FLAGS.config)
    # orbax tells of every step of every save.
    logging.set_verbosity(logging.WARNING)
    workdir = pathlib.Path(flags.FLAGS.workdir).expanduser()
    if signal.getsignal(signal.SIGINT) is icl_gen.end_at_once:
      signal.signal(signal.SIGINT, signal.default_int_handler)
    _or_exit(
      lambda: run(config, workdir, **_chosen(choices)), debug=flags.FLAGS.debug
    )

  app.run(call, flags_parser=parse)
  raise AssertionError('app.run does not return')


def command(door: str) -> str:
  """The command line that was given, as one for a door."""
  return shlex.join(['python', '-m', f'icl_gen.{door}', *sys.argv[1:]])


def parse_variants(arg: str, known: Sequence[str]) -> tuple[str, ...]:
  """Splits what follows `configs/x.py:` into variants, in the order given.

  Args:
    arg: variants separated by commas; '' for none.
    known: the config file's VARIANTS.

  Raises:
    ValueError: a variant is unknown, or given twice.
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


def _or_exit(function, *, debug=False):
  """Calls function; ends with a message where the user can act on it."""
  try:
    return function()
  except KeyboardInterrupt:
    print(
      '\ninterrupted; the same command goes on: finished stages are kept,'
      ' training goes on from its last checkpoint, scoring and sampling behind'
      ' the last part; other stages begin again',
      file=sys.stderr,
    )
    sys.exit(_INTERRUPTED)
  except (ValueError, OSError, FloatingPointError, RuntimeError) as error:
    if debug:
      raise
    if _is_disk_full(error):
      print(
        f'error: the disk is full: {error}\nFree some space and give the same'
        ' command: it goes on from what is complete.',
        file=sys.stderr,
      )
      sys.exit(_DISK_FULL)
    if isinstance(error, RuntimeError):
      raise
    _exit_with(f'error: {error}')
  except AttributeError as error:
    if debug or not _is_of_the_config(error):
      raise
    _exit_with(
      f'error: the config has no key {_key(error)}, which this command reads:'
      ' is it the config of another one?'
    )


def _exit_with(message) -> NoReturn:
  print(f'{message}\n(--debug shows where)', file=sys.stderr)
  sys.exit(_MISTAKE)


def _is_of_the_config(error):
  """Whether a missing attribute is a missing key of a config."""
  *_, (frame, _) = traceback.walk_tb(error.__traceback__)
  return frame.f_globals['__name__'].startswith('ml_collections')


def _key(error):
  """The key that an error of ml_collections names, perhaps quoted in quotes."""
  found = re.search(r'\w+', str(error))
  return repr(found[0]) if found else str(error)


def _chosen(choices):
  """Name -> value of a door's own flags."""
  for name, allowed in choices.items():
    if flags.FLAGS[name].value is None:
      raise ValueError(f'no --{name} given; allowed are {", ".join(allowed)}')
  return {name: flags.FLAGS[name].value for name in choices}


def _is_disk_full(error):
  """Whether an error, or what caused it, is a full disk or a full quota.

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


def _parse(argv, *, prog):
  """Parses the flags; ValueError with what is allowed where they are wrong."""
  # A first look for the config alone: ml_collections would bury a mistake in
  # the config file, or in the name of a key, in a traceback.
  first = flags.FlagValues()
  flags.DEFINE_string('config', None, '', flag_values=first)
  wants_help = any(re.match(r'--?help', arg) for arg in argv)
  try:
    first(argv, known_only=True)
    if first.config is None and not wants_help:
      raise ValueError(
        'no --config given; say which experiment, e.g.'
        f' python -m {prog} --config=configs/reversal.py'
      )
    if first.config is not None:
      _check_keys(_load(first.config), argv, path=first.config.split(':')[0])
    rest = flags.FLAGS(argv)
  except flags.Error as error:
    raise ValueError(str(error)) from error
  if len(rest) > 1:
    raise ValueError(
      f'unexpected {" ".join(rest[1:])!r}; everything is given as'
      ' --config.<key>=<value>'
    )
  return rest


def _load(given):
  """The config that `path[:variants]` stands for, without overrides."""
  path, *variants = given.split(':', 1)
  if not os.path.isfile(path):
    others = sorted(str(p) for p in pathlib.Path('configs').glob('*.py'))
    raise ValueError(
      f'no config file {path!r}{_nearest(path, others)}; there are:'
      f' {", ".join(others) or "none under ./configs"}'
    )
  spec = importlib.util.spec_from_file_location('config_config', path)
  if spec is None:
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
    *_, last = [
      frame
      for frame in traceback.extract_tb(error.__traceback__)
      if os.path.realpath(frame.filename) == os.path.realpath(path)
    ] or traceback.extract_tb(error.__traceback__)
    raise ValueError(
      f'{path}, line {last.lineno}: {type(error).__name__}: {error}'
    ) from error


def _check_keys(config, argv, *, path):
  """Raises ValueError at an override of a key that the config does not have."""
  for arg in argv[1:]:
    if arg == '--':
      return
    override = re.match(r'--?(?:no)?config\.([^=]+)', arg)
    if override:
      _check_key(config, override[1], path=path)


def _check_key(config, key, *, path):
  block, above = config, ''
  for name in re.sub(r'\[.*?\]', '', key).split('.'):
    if not isinstance(block, ml_collections.ConfigDict) or name not in block:
      beside = block if isinstance(block, ml_collections.ConfigDict) else ()
      what = f'keys of {above!r}' if above else 'keys'
      allowed = (
        f'{what}: {", ".join(sorted(beside))}'
        if beside
        else f'{above!r} is a value, not a block of keys'
      )
      raise ValueError(
        f'{path} has no key {key!r}{_nearest(key, _leaves(config))}; {allowed}'
      )
    block, above = block[name], f'{above}.{name}'.lstrip('.')
  if isinstance(block, ml_collections.ConfigDict):
    raise ValueError(
      f'{key!r} is a block of keys; set one of them:'
      f' {", ".join(f"{key}.{name}" for name in sorted(block))}'
    )


def _leaves(config, above=''):
  """Dotted names of all keys that hold values."""
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      yield from _leaves(value, f'{above}{name}.')
    else:
      yield above + name


def _nearest(word, words):
  near = difflib.get_close_matches(word, list(words), n=3, cutoff=0.6)
  return f' (did you mean {" or ".join(map(repr, near))}?)' if near else ''


def _module_given():
  spec = sys.modules['__main__'].__spec__
  return spec.name if spec else pathlib.Path(sys.argv[0]).name
