import importlib
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from icl_gen import cli, config_files

CONFIG = """
  import ml_collections
  from ml_collections import config_dict
  from icl_gen import cli

  VARIANTS = ('tiny', 'long')

  def get_config(arg=''):
    variants = cli.parse_variants(arg, VARIANTS)
    config = ml_collections.ConfigDict()
    config.seed = 1
    config.fail = config_dict.placeholder(str)
    config.train = ml_collections.ConfigDict({'steps': 100, 'rate': 0.5})
    config.train.warmup = config.train.get_ref('steps') // 20
    if 'tiny' in variants:
      config.train.steps = 40
    return config
"""

DOOR = """
  '''The toy door.'''
  import errno, os, signal, time
  from icl_gen import cli

  def run(config, workdir):
    hash(config)  # Frozen.
    if config.fail == 'value':
      raise ValueError('given 3; allowed are 1 or 2')
    if config.fail == 'file':
      raise FileNotFoundError('no corpus at out/x')
    if config.fail == 'bug':
      raise RuntimeError('a bug')
    if config.fail == 'key':
      print(config.world)
    if config.fail == 'attribute':
      print(workdir.world)
    if config.fail == 'disk':
      raise OSError(errno.ENOSPC, 'No space left on device', 'out/x')
    if config.fail == 'tensorstore':
      raise RuntimeError('Error writing "out/x": No space left on device')
    if config.fail == 'caused':
      try:
        raise OSError(errno.ENOSPC, 'No space left on device', 'out/x')
      except OSError as error:
        raise ValueError('could not save') from error
    if config.fail == 'interrupt':
      raise KeyboardInterrupt
    if config.fail == 'stop':
      os.kill(os.getpid(), signal.SIGTERM)
      time.sleep(60)
    if config.fail == 'wrapped':
      try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
      except BaseException as error:  # as orbax does
        raise Exception('could not read') from error
    print(config.seed, config.train.steps, config.train.warmup, workdir)

  if __name__ == '__main__':
    cli.main(run)
"""

CHOOSY = """
  from icl_gen import cli

  def run(config, workdir, *, to, loud, note):
    print(to.upper() if loud else to, config.seed, note)

  if __name__ == '__main__':
    cli.main(
      run,
      choices={'to': ('here', 'there')},
      switches={'loud': 'Print in capitals.'},
      texts={'note': 'Anything.'},
      short={'--again': '--config.seed=7'},
    )
"""


@pytest.fixture(scope='module')
def door(tmp_path_factory, pytestconfig):
  """Runs the toy door as a command, in a folder with configs/."""
  folder = tmp_path_factory.mktemp('door')
  (folder / 'configs').mkdir()
  (folder / 'configs/toy.py').write_text(textwrap.dedent(CONFIG))
  (folder / 'configs/models.py').write_text('MODELS = {}\n')
  (folder / 'toy.py').write_text(textwrap.dedent(DOOR))
  (folder / 'choosy.py').write_text(textwrap.dedent(CHOOSY))

  def call(*flags, module='toy'):
    return subprocess.run(
      [sys.executable, '-m', module, *flags],
      cwd=folder,
      env={'PYTHONPATH': str(pytestconfig.rootpath), 'PATH': ''},
      stdin=subprocess.DEVNULL,
      capture_output=True,
      text=True,
      timeout=60,
    )

  return call


@pytest.mark.parametrize(
  ('flags', 'printed'),
  [
    ([], '1 100 5 out'),
    (['--config.seed=7', '--config.train.steps=10'], '7 10 0 out'),
    (['--workdir=elsewhere'], '1 100 5 elsewhere'),
  ],
)
def test_run_gets_the_config_with_its_overrides(door, flags, printed):
  done = door('--config=configs/toy.py', *flags)
  assert (done.returncode, done.stdout.strip()) == (0, printed), done.stderr
  assert not done.stderr


def test_variants_and_overrides_combine(door):
  done = door('--config=configs/toy.py:tiny', '--config.seed=2')
  # What only tries things out is not in the way of the experiment.
  assert done.stdout.strip() == '2 40 2 out/tiny', done.stderr
  done = door('--config=configs/toy.py:long,tiny', '--workdir=out')
  assert done.stdout.strip() == '1 40 2 out', done.stderr


@pytest.mark.parametrize(
  ('flags', 'messages'),
  [
    ([], ['no --config given', 'python -m toy --config=']),
    (
      ['--config=configs/tyo.py'],
      ["no config file 'configs/tyo.py'", "did you mean 'configs/toy.py'"],
    ),
    (['--config=configs/models.py'], ["'configs/models.py' has no get_config"]),
    (
      ['--config=configs/toy.py:tny'],
      ["unknown variant 'tny'", "did you mean 'tiny'?", 'tiny, long'],
    ),
    (
      ['--config=configs/toy.py', '--config.train.stesp=3'],
      ["no key 'train.stesp'", "'train.steps'", 'rate, steps, warmup'],
    ),
    (
      ['--config=configs/toy.py', '--config.steps=3'],
      ["no key 'steps'", "'train.steps'", 'fail, seed, train'],
    ),
    (
      ['--config=configs/toy.py', '--config.seed.x=3'],
      ["no key 'seed.x'", "'seed' is a value"],
    ),
    (
      ['--config=configs/toy.py', '--config.train=3'],
      ["'train' is a block", 'train.steps'],
    ),
    (['--config=configs/toy.py', '--config.seed=x'], ['config.seed=x']),
    (['--config=configs/toy.py', '--cnofig.seed=3'], ["'cnofig.seed'"]),
    (['--config=configs/toy.py', 'stray'], ["unexpected 'stray'"]),
    (
      ['--config=configs/toy.py', '--config.fail=value'],
      ['given 3; allowed are 1 or 2'],
    ),
    (['--config=configs/toy.py', '--config.fail=file'], ['no corpus at out/x']),
  ],
)
def test_mistakes_end_in_a_message_and_exit_2(door, flags, messages):
  done = door(*flags)
  assert done.returncode == 2, done.stderr
  assert done.stderr.startswith('error: ')
  assert 'Traceback' not in done.stderr
  for message in messages:
    assert message in done.stderr
  assert not done.stdout


@pytest.mark.parametrize(
  ('source', 'message'),
  [
    ('x = 1\nconfig = {\n', 'broken.py, line 2: '),
    ('\nimport no_such_module\n', 'broken.py, line 2: ModuleNotFoundError: No'),
    ('\n\nx = y\n', "broken.py, line 3: NameError: name 'y'"),
    (
      'def get_config(arg=""):\n  return {}["x"]\n',
      "broken.py, line 2: KeyError: 'x'",
    ),
    (
      'import json\ndef get_config(arg=""):\n  return json.loads(3)\n',
      'broken.py, line 3: TypeError: the JSON object',
    ),
  ],
)
def test_mistakes_in_a_config_file_name_its_line(
  door, tmp_path, source, message
):
  (tmp_path / 'broken.py').write_text(source)
  done = door(f'--config={tmp_path / "broken.py"}')
  assert (done.returncode, done.stdout) == (2, '')
  assert message in done.stderr and 'Traceback' not in done.stderr
  assert done.stderr.count('\n') == 2


@pytest.mark.parametrize('mistake', ['--config.fail=value', '--config.sead=1'])
def test_debug_shows_where_the_mistake_was_found(door, mistake):
  done = door('--config=configs/toy.py', mistake, '--debug')
  assert done.returncode not in (0, 2)
  assert 'Traceback' in done.stderr


def test_a_doors_own_flag_must_be_one_of_its_choices(door):
  config = '--config=configs/toy.py'
  done = door(config, '--to=there', module='choosy')
  assert (done.returncode, done.stdout) == (0, 'there 1 \n'), done.stderr
  done = door(config, '--to=there', '--note=a b', module='choosy')
  assert done.stdout == 'there 1 a b\n'
  for flags, message in (
    ([], 'no --to given; allowed are here, there'),
    (['--to=nowhere'], '<here|there>'),
  ):
    done = door(config, *flags, module='choosy')
    assert (done.returncode, done.stdout) == (2, '')
    assert message in done.stderr
  assert '--to' in door('--help', module='choosy').stdout
  assert '--to' not in door('--help').stdout


def test_a_doors_own_switch_is_off_unless_given(door):
  flags = '--config=configs/toy.py', '--to=here'
  for more, printed in (
    ([], 'here 1 \n'),
    (['--loud'], 'HERE 1 \n'),
    (['--noloud'], 'here 1 \n'),
  ):
    done = door(*flags, *more, module='choosy')
    assert (done.returncode, done.stdout) == (0, printed), done.stderr
  assert 'Print in capitals.' in door('--help', module='choosy').stdout
  assert 'loud' not in door('--help').stdout
  done = door('--config=configs/toy.py', '--loud')
  assert "Unknown command line flag 'loud'" in done.stderr


def test_the_config_of_another_door_is_not_taken_for_a_bug(door):
  done = door('--config=configs/toy.py', '--config.fail=key')
  assert (done.returncode, done.stdout) == (2, '')
  assert (
    "has no key 'world', which" in done.stderr
    and 'another command?' in done.stderr
  )
  assert 'Traceback' not in done.stderr
  for more in (['--config.fail=key', '--debug'], ['--config.fail=attribute']):
    done = door('--config=configs/toy.py', *more)
    assert done.returncode == 1 and 'Traceback' in done.stderr


def test_a_short_form_stands_for_an_override_of_its_door(door):
  flags = '--config=configs/toy.py', '--again'
  done = door(*flags, '--to=here', module='choosy')
  assert (done.returncode, done.stdout) == (0, 'here 7 \n'), done.stderr
  done = door(*flags)
  assert (done.returncode, done.stdout) == (2, '')
  assert "Unknown command line flag 'again'" in done.stderr


def test_a_bug_keeps_its_traceback(door):
  done = door('--config=configs/toy.py', '--config.fail=bug')
  assert done.returncode == 1
  assert 'Traceback' in done.stderr


@pytest.mark.parametrize('fail', ['disk', 'tensorstore', 'caused'])
def test_a_full_disk_has_its_own_exit_code(door, fail):
  done = door('--config=configs/toy.py', f'--config.fail={fail}')
  assert done.returncode == 3, done.stderr
  assert 'the disk is full' in done.stderr
  assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
  ('fail', 'status', 'message'),
  [
    ('interrupt', 130, 'interrupted; '),
    ('stop', 143, 'interrupted by SIGTERM; '),
    ('wrapped', 143, 'interrupted by SIGTERM; '),
  ],
)
def test_an_interrupted_command_says_how_to_resume(door, fail, status, message):
  done = door('--config=configs/toy.py', f'--config.fail={fail}')
  assert done.returncode == status
  assert done.stderr.strip().startswith(message)
  assert done.stderr.strip().count('\n') == 0
  assert 're-run the command to resume' in done.stderr
  assert 'from its last checkpoint, scoring and sampling after' in done.stderr
  assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('flag', ['--help', '-h'])
def test_help_names_the_door_its_flags_and_the_keys(door, flag):
  done = door('--config=configs/toy.py:tiny', flag)
  assert (done.returncode, done.stderr) == (0, '')
  assert done.stdout.startswith('The toy door.\n')
  for told in (
    '--config=',
    '--workdir=',
    '--debug',
    'Variants of configs/toy.py: tiny, long',
    'Keys of configs/toy.py:tiny, with their values:',
    'train.steps = 40',
  ):
    assert told in done.stdout
  # Without a config, those of the door's example, if there is one.
  assert 'With --config=FILE.py' in door(flag).stdout


@pytest.mark.parametrize('command', [['icl_gen'], ['icl_gen.build', '--help']])
def test_who_reads_only_the_beginning_sees_no_error(command):
  read, write = os.pipe()
  os.close(read)
  done = subprocess.run(
    [sys.executable, '-m', *command], stdout=write, stderr=subprocess.PIPE
  )
  os.close(write)
  assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b'')


@pytest.mark.parametrize(
  ('arg', 'variants'),
  [('', ()), ('a', ('a',)), ('b,a', ('b', 'a')), ('a, b', ('a', 'b'))],
)
def test_variants_keep_their_order(arg, variants):
  assert cli.parse_variants(arg, ('a', 'b')) == variants


@pytest.mark.parametrize('arg', ['c', 'a,', ',', ' ', 'a,a', 'A'])
def test_variants_are_strict(arg):
  with pytest.raises(ValueError, match='variant'):
    cli.parse_variants(arg, ('a', 'b'))


def test_variants_of_a_group_exclude_each_other():
  known, groups = ('a', 'b', 'c', 'd'), [('a', 'c'), ('b', 'c')]
  assert cli.parse_variants('b,a,d', known, exclusive=groups) == tuple('bad')
  for arg, group in (('d,c,a', 'a, c'), ('b,c', 'b, c')):
    with pytest.raises(ValueError, match=f'exclude .* at most one of {group}'):
      cli.parse_variants(arg, known, exclusive=groups)


@pytest.mark.parametrize(
  'given',
  [
    'measure.py:nano_small,nano2',
    'pretrain.py:nano,nano_small',
    'nano2.py:continued,small',
    'nano2.py:tiny,continued',
    'celebrity.py:files,hub',
    'celebrity.py:plain,files',
    'reversal.py:gemma3_1b,gemma3_4b',
    'study.py:gemma3_1b,sizes',
    'study.py:gemma3_1b,tiny,gemma2_2b',
    'study.py:custom,names',
    'study.py:quarter,files',
  ],
)
def test_configs_refuse_variants_of_which_one_would_be_lost(given):
  with pytest.raises(ValueError, match='exclude each other'):
    config_files.load(f'configs/{given}')


@pytest.mark.parametrize(
  'name', ['reversal', 'semantic', 'celebrity', 'codebook', 'process']
)
def test_tiny_changes_sizes_and_nothing_that_a_variant_set(name):
  module = importlib.import_module(f'configs.{name}')

  def settings(arg):
    return {
      (block, key): value
      for block, values in module.get_config(arg).to_dict().items()
      if isinstance(values, dict)
      for key, value in values.items()
    }

  plain, tiny = settings(''), settings('tiny')
  shrunk = {key for key, value in tiny.items() if plain.get(key) != value}
  for variant in set(module.VARIANTS) - {'tiny'}:
    given, both = settings(variant), settings(f'{variant},tiny')
    numbers = {key for key, value in given.items() if type(value) is int}
    kept = given.keys() - shrunk - numbers
    assert kept and {key: both.get(key) for key in kept} == {
      key: given[key] for key in kept
    }


@pytest.mark.parametrize(
  'value',
  ['x' * 10_000, repr('many words ' * 1_000), str(list(range(2_000)))],
)
def test_a_long_value_that_a_message_quotes_loses_its_middle(capsys, value):
  def fail():
    raise ValueError(f'given {value}; allowed are 1 or 2')

  with pytest.raises(SystemExit):
    cli._or_exit(fail, debug=False)
  printed = capsys.readouterr().err
  assert printed.startswith(f'error: given {value[:100]}')
  assert f'{value[-100:]}; allowed are 1 or 2\n' in printed
  assert ' characters left out] ... ' in printed
  assert len(printed) < 450


def test_a_long_message_loses_its_middle(capsys):
  def fail():
    raise ValueError(f'first {"word " * 2_000} last')

  with pytest.raises(SystemExit):
    cli._or_exit(fail, debug=False)
  printed = capsys.readouterr().err
  assert printed.startswith('error: first word') and ' last\n' in printed
  assert len(printed) < 1600


def test_a_message_that_is_not_long_is_printed_as_it_is(capsys):
  message = f'given ({"x, " * 90}x); keys: {", ".join(["key"] * 100)}'

  def fail():
    raise ValueError(message)

  with pytest.raises(SystemExit):
    cli._or_exit(fail, debug=False)
  assert capsys.readouterr().err.startswith(f'error: {message}\n')


def test_importing_the_frame_is_light():
  heavy = 'jax', 'tensorflow', 'gemma', 'flax', 'numpy', 'matplotlib'
  code = f'import sys, icl_gen.cli; print(*set({heavy}) & set(sys.modules))'
  done = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert done.stdout.strip() == ''


def test_a_directory_in_the_place_of_a_file_has_a_remedy(tmp_path, capsys):
  with pytest.raises(SystemExit) as ended:
    cli._or_exit(tmp_path.read_text, debug=False)
  assert ended.value.code == 2
  assert f"error: '{tmp_path}' is a directory" in capsys.readouterr().err


def test_a_value_with_a_line_break_makes_no_second_message(capsys):
  def fail():
    raise ValueError('no such world: a\nerror: b')

  with pytest.raises(SystemExit):
    cli._or_exit(fail, debug=False)
  assert capsys.readouterr().err.splitlines() == [
    r'error: no such world: a\nerror: b',
    '(--debug shows where)',
  ]
