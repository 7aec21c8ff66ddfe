"""Metrics are JSON lines without gaps or repeats, resumed or not."""

import json

from icl_gen.storage import checksums
from icl_gen.training import metrics


def values(loss):
  return {'loss': loss, 'tokens_per_second': 12345.6, 'eta_seconds': 125.0}


def lines(directory):
  text = (directory / 'metrics.jsonl').read_text('utf-8')
  return [json.loads(line) for line in text.splitlines()]


def test_lines_are_written_and_progress_is_printed(tmp_path, capsys):
  writer = metrics.Writer(tmp_path / 'run', name='glon', steps=20, done=0)
  writer.write(10, values(2.5))
  writer.write(20, values(1.5))
  writer.close()
  assert lines(tmp_path / 'run') == [
    {'step': 10} | values(2.5),
    {'step': 20} | values(1.5),
  ]
  shown = capsys.readouterr().out.splitlines()
  assert shown[0] == (
    'glon: step 10/20  loss 2.5000  12,346 tokens/s  2:05 to go'
  )
  assert list((tmp_path / 'run').glob('events.out.tfevents.*'))


def test_a_closed_log_has_a_digest(tmp_path):
  sums = tmp_path / 'metrics.jsonl.sha256'
  for done in (0, 20):  # the second time as after a kill before the weights
    writer = metrics.Writer(tmp_path, name='glon', steps=20, done=done)
    for step in range(done + 10, 21, 10):
      writer.write(step, values(step))
    writer.close()
    assert checksums.differences(sums, ['metrics.jsonl']) == {}
  whole = (tmp_path / 'metrics.jsonl').read_text()
  (tmp_path / 'metrics.jsonl').write_text(
    whole.replace('"loss": 10', '"loss": 11')
  )
  found = checksums.differences(sums, ['metrics.jsonl'])
  assert list(found) == [tmp_path / 'metrics.jsonl']


def test_a_resumed_run_continues_from_its_checkpoint(tmp_path):
  writer = metrics.Writer(tmp_path, name='glon', steps=40, done=0)
  for step in (10, 20, 30):
    writer.write(step, values(step))
  writer.close()
  with (tmp_path / 'metrics.jsonl').open('a') as file:
    file.write('{"step": 3')  # killed while writing
  # The checkpoint was saved at step 20, so step 30 is written again.
  writer = metrics.Writer(tmp_path, name='glon', steps=40, done=20)
  for step in (30, 40):
    writer.write(step, values(step))
  writer.close()
  assert lines(tmp_path) == [
    {'step': step} | values(step) for step in (10, 20, 30, 40)
  ]


def test_a_damaged_log_does_not_stop_the_run(tmp_path, caplog):
  writer = metrics.Writer(tmp_path, name='glon', steps=20, done=0)
  for step in (5, 10, 15):
    writer.write(step, values(step))
  writer.close()
  log = tmp_path / 'metrics.jsonl'
  first, second, third = log.read_bytes().splitlines(keepends=True)
  log.write_bytes(
    b'\x00\xff\n' + first + b'[]\n{"step": "x"}\n' + second + third
  )
  metrics.Writer(tmp_path, name='glon', steps=20, done=10).close()
  assert [line['step'] for line in lines(tmp_path)] == [5, 10]
  assert '2 of 6 lines are damaged' in caplog.text
