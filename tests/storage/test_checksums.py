"""A changed byte shows."""

import shutil
import subprocess

import pytest

from icl_gen.storage import checksums

NAMES = ('a', 'b', 'c')


def test_sums_are_those_of_sha256sum(tmp_path):
  for name in NAMES:
    (tmp_path / name).write_text(name)
  sums = tmp_path / 'SHA256SUMS'
  checksums.write(sums, NAMES)
  assert checksums.differences(sums, NAMES) == {}
  if shutil.which('sha256sum') is None:
    pytest.skip('sha256sum is not installed')
  checked = subprocess.run(
    ['sha256sum', '--check', '--strict', '--quiet', sums.name],
    cwd=tmp_path,
    check=False,
  )
  assert checked.returncode == 0


def test_what_differs_from_its_sums_is_named(tmp_path):
  for name in NAMES:
    (tmp_path / name).write_text(name)
  sums = tmp_path / 'SHA256SUMS'
  checksums.write(sums, NAMES)
  whole = sums.read_bytes()
  (tmp_path / 'a').write_text('b')
  (tmp_path / 'b').unlink()
  found = checksums.differences(sums, NAMES)
  assert list(found) == [tmp_path / 'a', tmp_path / 'b']
  assert 'SHA256SUMS' in found[tmp_path / 'a']
  assert 'missing' in found[tmp_path / 'b']
  for name in ('a', 'b'):
    (tmp_path / name).write_text(name)
  for n in range(len(whole)):
    sums.write_bytes(whole[:n])
    assert checksums.differences(sums, NAMES)
    for bit in range(8):
      sums.write_bytes(
        whole[:n] + bytes([whole[n] ^ 1 << bit]) + whole[n + 1 :]
      )
      assert 'SHA256SUMS' in str(checksums.differences(sums, NAMES))


def test_a_fingerprint_depends_on_names_and_contents(tmp_path, monkeypatch):
  one, other = tmp_path / 'one', tmp_path / 'other'
  for folder in (one, other):
    (folder / 'd').mkdir(parents=True)
    (folder / 'small').write_text('a')
    (folder / 'd' / 'large').write_bytes(b'a' * 50)
  assert checksums.fingerprint(one) == checksums.fingerprint(other) != ''
  assert checksums.fingerprint(tmp_path / 'none') == ''
  (other / 'small').rename(other / 'named')
  assert checksums.fingerprint(one) != checksums.fingerprint(other)
  # Large files are read at both ends, small ones completely.
  monkeypatch.setattr(checksums, '_READ_WHOLE', 40)
  monkeypatch.setattr(checksums, '_READ_OF_EACH', 10)
  before = checksums.fingerprint(one)
  for offset, seen in ((0, True), (25, False), (49, True)):
    changed = bytearray(b'a' * 50)
    changed[offset] += 1
    (one / 'd' / 'large').write_bytes(changed)
    assert (checksums.fingerprint(one) != before) == seen
  (one / 'd' / 'large').write_bytes(b'a' * 50)
  (one / 'small').write_text('b')
  assert checksums.fingerprint(one) != before
