"""A request to stop is raised, noted or obeyed at once, as it should be."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

# What every command below starts with.
_BEGIN = """
  import os, signal, time
  from icl_gen import signals

  def ask(signum):
    os.kill(os.getpid(), signum)
    time.sleep(0.01)  # Python calls the function soon, not at once.
"""


@pytest.fixture
def python(pytestconfig):
  """Runs lines of Python, with signals as a shell leaves them."""

  def run(lines):
    return subprocess.run(
      [
        sys.executable,
        '-c',
        textwrap.dedent(_BEGIN) + textwrap.dedent(lines),
      ],
      env={'PYTHONPATH': str(pytestconfig.rootpath), 'PATH': ''},
      stdin=subprocess.DEVNULL,
      capture_output=True,
      text=True,
      timeout=60,
    )

  return run


@pytest.mark.parametrize(
  ('name', 'status'), [('SIGINT', 130), ('SIGTERM', 143)]
)
def test_a_request_is_raised_with_its_status(python, name, status):
  done = python(f"""
    signals.catch()
    try:
      ask(signal.{name})
    except KeyboardInterrupt as error:
      print(error.status, signals.asked() == signal.{name})
  """)
  assert done.stdout == f'{status} True\n', done.stderr


def test_a_deferred_request_is_noted_and_raised_at_the_end(python):
  done = python("""
    signals.catch()

    @signals.deferred()
    def work():
      print(bool(signals.asked()))
      ask(signal.SIGTERM)
      print(bool(signals.asked()))

    try:
      work()
      print('not raised')
    except signals.Interrupted as error:
      print(error.status)
  """)
  assert done.stdout == 'False\nTrue\n143\n', done.stderr


@pytest.mark.parametrize('pause', [0.0, 1.0])
@pytest.mark.parametrize('second', ['SIGINT', 'SIGTERM'])
def test_a_second_request_ends_at_once_unless_it_is_the_same(
  python, second, pause
):
  """`make` and schedulers send a signal twice within milliseconds."""
  done = python(f"""
    signals.catch()
    with signals.deferred():
      ask(signal.SIGTERM)
      time.sleep({pause})
      ask(signal.{second})
      os.write(1, b'still here')
      os._exit(0)
  """)
  if pause:
    status = 128 + getattr(signal, second)
    assert (done.returncode, done.stdout) == (status, '')
    assert done.stderr == '\nended at once; re-run the command to resume\n'
  else:
    assert (done.returncode, done.stdout) == (0, 'still here')


@pytest.mark.parametrize('times', [1, 3])
def test_a_request_that_python_drops_is_repeated(python, times):
  """JAX has a callback in the garbage collector; signals arrive there too."""
  done = python(f"""
    import gc
    signals.catch()
    left = [{times}]

    def callback(phase, info):
      if left[0] and phase == 'start':
        left[0] -= 1
        if left[0] == {times} - 1:
          ask(signal.SIGTERM)
        time.sleep(1)  # the next ones arrive by themselves

    gc.callbacks.append(callback)
    try:
      for _ in range({times}):
        gc.collect()
      time.sleep(1)
    except signals.Interrupted as error:
      print(error.status, left)
  """)
  assert (done.stdout, done.stderr) == ('143 [0]\n', '')


@pytest.mark.parametrize('asks', ['ask(signal.SIGTERM)', 'pass'])
def test_what_a_request_left_half_made_is_no_news(python, asks):
  """As orbax's checkpointers and event loops, whose `__del__` look at more."""
  done = python(f"""
    signals.catch()

    class Made:
      def __init__(self):
        {asks}
        self.thread = None

      def __del__(self):
        print(self.thread)

    try:
      Made()
    except signals.Interrupted as error:
      print(error.status)
  """)
  expected = 'None' if asks == 'pass' else '143'
  assert (done.stdout, done.stderr) == (f'{expected}\n', '')


@pytest.mark.parametrize('at', ['__init__', '_make_self_pipe'])
def test_an_event_loop_that_a_request_left_half_made_is_no_news(python, at):
  done = python(f"""
    import asyncio
    signals.catch()
    asyncio.SelectorEventLoop.{at} = lambda *_: ask(signal.SIGTERM)
    try:
      asyncio.new_event_loop()
    except signals.Interrupted as error:
      print(error.status)
  """)
  assert (done.stdout, done.stderr) == ('143\n', '')


@pytest.mark.parametrize(
  ('asks', 'error'),
  [
    ('pass', 'ValueError'),
    ('pass', 'AttributeError'),
    ('ask(signal.SIGTERM)', 'ValueError'),
  ],
)
def test_other_exceptions_that_python_drops_are_reported(python, asks, error):
  done = python(f"""
    signals.catch()
    try:
      {asks}
    except signals.Interrupted:
      pass

    class Broken:
      def __del__(self):
        raise {error}('in __del__')

    Broken()
  """)
  assert f'{error}: in __del__' in done.stderr


@pytest.mark.parametrize(
  'own', ['signal.SIG_IGN', 'lambda *_: os.write(1, b"own")']
)
def test_what_somebody_else_set_is_left_alone(python, own):
  done = python(f"""
    for signum in (signal.SIGINT, signal.SIGTERM):
      signal.signal(signum, {own})
    signals.end_while_importing()
    signals.catch()
    ask(signal.SIGINT)
    ask(signal.SIGTERM)
    signals.release()
    ask(signal.SIGTERM)
    os.write(1, b'!')
  """)
  assert done.returncode == 0, done.stderr
  assert done.stdout in ('!', 'ownownown!')


def test_a_thread_that_waits_for_ever_keeps_no_process_that_was_asked_to_stop(
  python,
):
  done = python("""
    import sys, threading
    signals.catch()
    threading.Thread(target=threading.Event().wait).start()
    with signals.without_waiting():
      try:
        ask(signal.SIGTERM)
      except signals.Interrupted as error:
        print('a line')
        sys.exit(error.status)
  """)
  assert (done.returncode, done.stdout) == (143, 'a line\n'), done.stderr


def test_without_a_request_other_threads_finish_their_work(python):
  done = python("""
    import sys, threading
    signals.catch()
    threading.Timer(0.2, lambda: print('done')).start()
    with signals.without_waiting():
      sys.exit(3)
  """)
  assert (done.returncode, done.stdout) == (3, 'done\n'), done.stderr


def test_after_the_work_a_request_ends_the_process(python):
  done = python("""
    signals.catch()
    signals.release()
    ask(signal.SIGTERM)
    print('still here')
  """)
  assert (done.returncode, done.stdout) == (-signal.SIGTERM, '')


@pytest.mark.parametrize(
  ('signum', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
@pytest.mark.parametrize(
  ('library', 'message'),
  [
    # When the door itself is imported, nothing can catch an exception yet.
    ('absl', 'interrupted before start-up finished; nothing was written'),
    # The door imports it when it has work to do.
    ('jax', 'interrupted; re-run the command to resume'),
  ],
)
def test_a_request_during_the_imports_is_one_message(
  pytestconfig, tmp_path, signum, status, library, message
):
  """A library that swallows every exception cannot swallow it."""
  slow = tmp_path / library
  slow.mkdir()
  (slow / '__init__.py').write_text(
    'import os\n'
    f'try:\n  os.kill(os.getpid(), {int(signum)})\n'
    'except BaseException:\n  pass\n'
  )
  root = pytestconfig.rootpath
  flags = ('--config=configs/reversal.py', '--stage=train', '--topology=cpu:1')
  done = subprocess.run(
    [sys.executable, '-m', 'icl_gen.compile', *flags],
    env={'PYTHONPATH': f'{tmp_path}{os.pathsep}{root}', 'PATH': ''},
    cwd=root,
    capture_output=True,
    text=True,
    timeout=60,
  )
  assert done.returncode == status, done.stderr
  assert done.stderr == f'\n{message}\n'
