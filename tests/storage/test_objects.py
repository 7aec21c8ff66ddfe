"""Objects of a bucket: what was written is read, unless a condition fails."""

import hashlib

import pytest

from icl_gen.storage import objects as objects_
from icl_gen.storage.objects import Objects


def test_what_was_written_is_read_and_listed(objects, url):
  names = ['a', 'a/b c', 'a/d+é', 'a0', 'b', 'ü/x=1,2']
  for name in names:
    objects.write(name, name.encode())
  assert objects.names() == names == sorted(names)
  assert objects.names('a/') == ['a/b c', 'a/d+é']
  assert objects.names('c') == []
  read = objects.read_all([*names, 'none'])
  assert [read[name].content for name in names] == [n.encode() for n in names]
  assert read['none'].content is None
  # Those of another place are not among them.
  assert Objects(f'{url}/a').names() == ['b c', 'd+é']
  objects.delete(['a', 'none'])
  assert objects.names() == names[1:]


def test_a_condition_is_that_nothing_has_changed(objects):
  absent = objects.read('x').generation
  first = objects.write_if('x', b'1', absent)
  assert objects.read('x') == objects_.Object(b'1', first)
  assert objects.write_if('x', b'2', absent) is None
  second = objects.write_if('x', b'2', first)
  assert objects.write_if('x', None, first) is None
  assert objects.read('x').content == b'2'
  assert objects.write_if('x', None, second) is not None
  assert objects.read('x').content is None


def test_files_are_read_in_parts_as_they_were_written(
  objects, monkeypatch, tmp_path
):
  contents = {'empty': b'', 'one': b'1', 'three': b'abc', 'seven': b'abcdefg'}
  before, after = tmp_path / 'before', tmp_path / 'after'
  before.mkdir()
  after.mkdir()
  for name, content in contents.items():
    (before / name).write_bytes(content)
  wrote = objects.upload({name: before / name for name in contents})
  monkeypatch.setattr(objects_, '_CHUNK', 3)
  read = objects.download(
    {name: after / name for name in (*contents, 'none')},
    {**{name: len(content) for name, content in contents.items()}, 'none': 1},
  )
  for name, content in contents.items():
    assert (after / name).read_bytes() == content
    assert wrote[name] == read[name] == hashlib.sha256(content).hexdigest()
  assert read['none'] == ''


@pytest.mark.parametrize('url', ['s3://bucket/x', 'gs://', 'https://x'])
def test_other_places_are_refused(url):
  with pytest.raises(
    ValueError, match='only gs://BUCKET/PATH is known'
  ) as told:
    Objects(url)
  assert url in str(told.value)


def test_errors_are_one_line_with_a_remedy(server, objects, url):
  server.allows = lambda method, name: False
  for ask in (
    lambda: objects.read('x'),
    lambda: objects.write('x', b''),
    lambda: objects.write_if('x', b'', b'\2'),
    lambda: objects.delete(['x']),
  ):
    with pytest.raises(OSError, match='gcloud auth') as told:
      ask()
    assert str(told.value).startswith(f'{url}: PERMISSION_DENIED')
    assert '\n' not in str(told.value)
  with pytest.raises(OSError, match='create the bucket, or correct its name'):
    Objects('gs://no-such-bucket/x').write('x', b'')


def test_a_listing_that_is_refused_is_not_taken_for_an_empty_one(
  server, objects
):
  objects.write('.lock', b'')
  assert objects.names(known='.lock') == ['.lock']
  server.allows = lambda method, name: method != 'LIST'
  with pytest.raises(OSError, match='cannot be listed'):
    objects.names(known='.lock')
