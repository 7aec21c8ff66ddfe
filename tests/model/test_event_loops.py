"""A patient loop waits for what is left of its tasks, and closes."""

import asyncio
import gc

from icl_gen.model import event_loops


def test_a_loop_that_was_made_is_closed_as_ever():
  with event_loops.patient():
    loop = asyncio.new_event_loop()
  assert not loop.is_closed()
  assert loop.run_until_complete(asyncio.sleep(0, 'done')) == 'done'
  loop.close()
  assert loop.is_closed()


def test_a_task_whose_end_got_lost_does_not_keep_a_loop_open(
  monkeypatch, caplog
):
  """An interruption may take the call that would have woken a task."""
  monkeypatch.setattr(event_loops, '_PATIENCE', 0.1)
  with event_loops.patient():
    loop = asyncio.new_event_loop()
  ended = []

  async def waits(for_what, name):
    await for_what
    ended.append(name)

  lost, late = loop.create_future(), loop.create_future()
  tasks = [loop.create_task(waits(f, n)) for f, n in ((lost, 1), (late, 2))]
  loop.call_later(0.01, late.set_result, None)
  loop.close()
  assert ended == [2]
  del tasks, lost
  gc.collect()
  assert not caplog.records
