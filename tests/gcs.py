"""A stand-in for Google Cloud Storage: its JSON API, objects in memory.

It knows what clients of tensorstore ask for: media uploads, ranges of bytes,
listings in pages, deletions, and conditions on an object's generation. A
conftest.py that imports the fixtures at the end gives them to its folder.
"""

import contextlib
import functools
import http.server
import itertools
import json
import os
import re
import threading
import urllib.parse

import pytest

from icl_gen.storage.objects import Objects

_OBJECT = re.compile(r'/storage/v1/b/([^/]+)/o/([^/]+)')
_LISTING = re.compile(r'/storage/v1/b/([^/]+)/o')
_UPLOAD = re.compile(r'/upload/storage/v1/b/([^/]+)/o')


class Server(http.server.ThreadingHTTPServer):
  """Serves one bucket until `serving` ends.

  Attributes:
    objects: name -> (generation, content).
    asked: (method, name) of every request for an object, in order.
    allows: called with (method, name); False is answered by 403.
  """

  daemon_threads = True

  def __init__(self, bucket, *, page=1000):
    super().__init__(('127.0.0.1', 0), _Answers)
    self.bucket, self.page = bucket, page
    self.objects, self.asked = {}, []
    self.allows = lambda method, name: True
    self.generation, self.lock = 0, threading.Lock()

  @property
  def url(self):
    return f'http://127.0.0.1:{self.server_port}'

  def content(self, name):
    return self.objects[name][1]

  def put(self, name, content):
    self.generation += 1
    self.objects[name] = (self.generation, content)
    return self.generation


class _Answers(http.server.BaseHTTPRequestHandler):
  protocol_version = 'HTTP/1.1'
  # An answer is one packet; in several, each would wait for the client.
  wbufsize = -1
  disable_nagle_algorithm = True

  def log_message(self, *args):
    pass

  def do_GET(self):
    parts, query = self._asked()
    if found := _OBJECT.fullmatch(parts.path):
      self._in_turn('GET', found, query, self._read)
    else:
      found = _LISTING.fullmatch(parts.path)
      self._in_turn('LIST', found, query, self._list)

  def do_POST(self):
    parts, query = self._asked()
    assert query['uploadType'] == 'media', query
    content = self.rfile.read(int(self.headers['Content-Length']))
    self._in_turn(
      'POST',
      _UPLOAD.fullmatch(parts.path),
      query,
      lambda name, query: self._write(name, query, content),
    )

  def do_DELETE(self):
    parts, query = self._asked()
    self._in_turn('DELETE', _OBJECT.fullmatch(parts.path), query, self._delete)

  def _asked(self):
    parts = urllib.parse.urlsplit(self.path)
    return parts, dict(urllib.parse.parse_qsl(parts.query))

  def _in_turn(self, method, found, query, answer):
    bucket, name = found[1], query.get('name', '')
    if found.re is _OBJECT:
      name = urllib.parse.unquote(found[2])
    with self.server.lock:
      self.server.asked.append((method, name))
      if bucket != self.server.bucket:
        self._refuse(404, 'The specified bucket does not exist.')
      elif not self.server.allows(method, name):
        self._refuse(403, 'Caller does not have storage.objects access.')
      else:
        answer(name, query)

  def _is_met(self, name, query):
    generation = self.server.objects.get(name, (0, b''))[0]
    wanted = query.get('ifGenerationMatch')
    return wanted is None or int(wanted) == generation

  def _read(self, name, query):
    if name not in self.server.objects:
      self._refuse(404, f'No such object: {name}')
      return
    generation, content = self.server.objects[name]
    if query.get('ifGenerationNotMatch') == str(generation):
      self._send(304, b'')
      return
    if not self._is_met(name, query):
      self._refuse(412, 'precondition')
      return
    headers, status = {'x-goog-generation': str(generation)}, 200
    if asked := re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers['Range'] or ''):
      first, size = int(asked[1]), len(content)
      last = min(int(asked[2] or size - 1), size - 1)
      headers['Content-Range'] = f'bytes {first}-{last}/{size}'
      content, status = content[first : last + 1], 206
    self._send(status, content, headers)

  def _list(self, name, query):
    names = sorted(
      one
      for one in self.server.objects
      if one.startswith(query.get('prefix', ''))
      and one >= query.get('startOffset', '')
      and one >= bytes.fromhex(query.get('pageToken', '')).decode()
      and ('endOffset' not in query or one < query['endOffset'])
    )
    shown, rest = names[: self.server.page], names[self.server.page :]
    answer = {'kind': 'storage#objects', 'items': [*map(self._row, shown)]}
    if rest:
      answer['nextPageToken'] = rest[0].encode().hex()
    self._send(200, json.dumps(answer).encode())

  def _write(self, name, query, content):
    if not self._is_met(name, query):
      self._refuse(412, 'precondition')
      return
    self.server.put(name, content)
    self._send(200, json.dumps(self._row(name)).encode())

  def _delete(self, name, query):
    if not self._is_met(name, query):
      self._refuse(412, 'precondition')
    elif self.server.objects.pop(name, None) is None:
      self._refuse(404, f'No such object: {name}')
    else:
      self._send(204, b'')

  def _row(self, name):
    generation, content = self.server.objects[name]
    return {
      'kind': 'storage#object',
      'bucket': self.server.bucket,
      'name': name,
      'size': str(len(content)),
      'generation': str(generation),
      'metageneration': '1',
      'timeCreated': '2026-01-01T00:00:00.000Z',
      'updated': '2026-01-01T00:00:00.000Z',
    }

  def _refuse(self, status, message):
    told = {'error': {'code': status, 'message': message}}
    self._send(status, json.dumps(told).encode())

  def _send(self, status, content, headers=()):
    self.send_response(status)
    self.send_header('Content-Type', 'application/json')
    for name, value in dict(headers).items():
      self.send_header(name, value)
    if status not in (204, 304):
      self.send_header('Content-Length', str(len(content)))
    self.end_headers()
    if status not in (204, 304):
      self.wfile.write(content)


@contextlib.contextmanager
def serving(bucket='bucket', *, page=1000):
  """A server in a thread of its own."""
  server = Server(bucket, page=page)
  thread = threading.Thread(target=server.serve_forever, daemon=True)
  thread.start()
  try:
    yield server
  finally:
    server.shutdown()
    server.server_close()
    thread.join()


def environment(server):
  """The variables that lead tensorstore to a server."""
  return {
    'TENSORSTORE_GCS_HTTP_URL': server.url,
    'GOOGLE_AUTH_TOKEN_FOR_TESTING': 'none',
  }


_numbers = itertools.count()


_to_the_end = contextlib.ExitStack()


@functools.cache
def _shared():
  """The server of this process, of which tensorstore knows one for good.

  Every folder has a fixture of its own, even of a session.
  """
  server = _to_the_end.enter_context(serving(page=3))
  os.environ.update(environment(server))
  return server


@pytest.fixture(scope='session')
def server():
  """Serves 'bucket', listing three objects a page."""
  return _shared()


@pytest.fixture
def url(server):
  """A place in the bucket that has nothing yet; the server allows all."""
  server.allows = lambda method, name: True
  server.asked.clear()
  yield f'gs://bucket/{next(_numbers)}/work dir'
  server.allows = lambda method, name: True


@pytest.fixture
def objects(url):
  return Objects(url)
