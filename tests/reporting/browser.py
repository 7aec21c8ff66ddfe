"""A headless Chromium, driven through its DevTools protocol over a pipe."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import time

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
# Seconds for one answer; browsers start slowly on machines that are at work.
PATIENCE = 300


def path():
  """The browser's path; None if there is none."""
  found = (shutil.which(name) for name in NAMES)
  return next((name for name in found if name), None)


class Page:
  """One page; keeps what went wrong in it and what it asked for.

  Attributes:
    errors: exceptions, console errors and violations of the page's policy.
    requests: addresses of everything that was loaded.
  """

  def __init__(self, profile):
    self.errors, self.requests, self._events = [], [], []
    self._last, self._session, self._rest = 0, None, b''
    self._to, self._from, self._process = _start(profile)
    target = self._call('Target.createTarget', url='about:blank')['targetId']
    self._session = self._call(
      'Target.attachToTarget', targetId=target, flatten=True
    )['sessionId']
    for domain in ('Page', 'Runtime', 'Log', 'Network'):
      self._call(f'{domain}.enable')

  def look(self, *, width, dark=False):
    """Sets the width in CSS pixels, and light or dark mode."""
    self._call(
      'Emulation.setDeviceMetricsOverride',
      width=width,
      height=900,
      deviceScaleFactor=1,
      mobile=False,
    )
    scheme = {
      'name': 'prefers-color-scheme',
      'value': 'dark' if dark else 'light',
    }
    self._call('Emulation.setEmulatedMedia', features=[scheme])

  def open(self, address):
    """Opens an address and waits until it is loaded."""
    self._events.clear()
    self._call('Page.navigate', url=address)
    self._until(lambda: 'Page.loadEventFired' in self._events)

  def run(self, script):
    """The value of an expression in the page."""
    found = self._call(
      'Runtime.evaluate',
      expression=script,
      returnByValue=True,
      awaitPromise=True,
    )
    assert 'exceptionDetails' not in found, found['exceptionDetails']
    return found['result'].get('value')

  def wait(self, script):
    """Waits until an expression in the page is true."""
    ends = time.monotonic() + PATIENCE
    while not self.run(script):
      assert time.monotonic() < ends, f'never true: {script}'
      time.sleep(0.05)

  def press(self, key, *, code=0, text=''):
    """Presses a key; `code` is its Windows key code."""
    pressed = {'key': key, 'code': key, 'windowsVirtualKeyCode': code}
    if text:
      pressed['text'] = text
    self._call('Input.dispatchKeyEvent', type='keyDown', **pressed)
    self._call('Input.dispatchKeyEvent', type='keyUp', **pressed)

  def type(self, text):
    """Inserts text where the focus is."""
    self._call('Input.insertText', text=text)

  def picture(self):
    """The whole page as PNG, in base64."""
    return self._call('Page.captureScreenshot', captureBeyondViewport=True)[
      'data'
    ]

  def close(self):
    """Ends the browser."""
    with contextlib.suppress(OSError):
      self._session = None
      self._call('Browser.close')
    ends = time.monotonic() + 20
    while os.waitpid(self._process, os.WNOHANG) == (0, 0):
      if time.monotonic() > ends:
        os.kill(self._process, signal.SIGKILL)
      time.sleep(0.1)
    os.close(self._to)
    os.close(self._from)

  def _call(self, method, **parameters):
    self._last += 1
    message = {'id': self._last, 'method': method, 'params': parameters}
    if self._session:
      message['sessionId'] = self._session
    os.write(self._to, json.dumps(message).encode() + b'\0')
    answer = []
    self._until(lambda: answer, answer, self._last)
    assert 'error' not in answer[0], answer[0]
    return answer[0]['result']

  def _until(self, is_done, answer=None, number=None):
    """Reads what the browser says, up to something that was waited for."""
    ends = time.monotonic() + PATIENCE
    while not is_done():
      while b'\0' not in self._rest:
        left = ends - time.monotonic()
        ready, _, _ = select.select([self._from], [], [], max(left, 0))
        data = os.read(self._from, 1 << 20) if ready else b''
        if not data:
          raise OSError('the browser does not answer')
        self._rest += data
      line, _, self._rest = self._rest.partition(b'\0')
      message = json.loads(line)
      if message.get('id') == number and number:
        answer.append(message)
      elif 'method' in message:
        self._note(message['method'], message['params'])

  def _note(self, event, told):
    self._events.append(event)
    if event == 'Runtime.exceptionThrown':
      self.errors.append(json.dumps(told['exceptionDetails']))
    elif event == 'Runtime.consoleAPICalled':
      self.errors.append(f'console.{told["type"]}: {told["args"]}')
    elif event == 'Log.entryAdded':
      self.errors.append(told['entry']['text'])
    elif event == 'Network.requestWillBeSent':
      self.requests.append(told['request']['url'])


def _start(profile):
  """Starts the browser; returns the pipes to and from it, and its number."""
  inward, to = os.pipe()
  from_, outward = os.pipe()
  # Not 3 or 4, which become the browser's ends of the pipes.
  ends = [fcntl.fcntl(n, fcntl.F_DUPFD_CLOEXEC, 10) for n in (inward, outward)]
  process = os.posix_spawn(
    path(),
    [
      path(),
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--no-first-run',
      '--remote-debugging-pipe',
      f'--user-data-dir={profile}',
    ],
    os.environ,
    file_actions=[
      (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
      (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
      (os.POSIX_SPAWN_DUP2, ends[0], 3),
      (os.POSIX_SPAWN_DUP2, ends[1], 4),
    ],
  )
  for end in (inward, outward, *ends):
    os.close(end)
  return to, from_, process
