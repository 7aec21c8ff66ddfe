"""Loops that were not made to their end leave no words behind."""

import asyncio
import gc
import sys

import pytest

from icl_gen import signals
from icl_gen.model import event_loops


@pytest.mark.parametrize('at', ['__init__', '_make_self_pipe'])
def test_an_interruption_while_a_loop_is_made_is_all_that_is_raised(
  monkeypatch, at
):
  ignored = []
  monkeypatch.setattr(sys, 'unraisablehook', ignored.append)

  def interrupted(self, *args):
    raise signals.Interrupted(15)

  monkeypatch.setattr(asyncio.SelectorEventLoop, at, interrupted)
  with event_loops.patient():
    with pytest.raises(signals.Interrupted):
      asyncio.new_event_loop()
    gc.collect()
  assert not ignored


def test_a_loop_that_was_made_is_closed_as_ever():
  with event_loops.patient():
    loop = asyncio.new_event_loop()
  assert not loop.is_closed()
  assert loop.run_until_complete(asyncio.sleep(0, 'done')) == 'done'
  loop.close()
  assert loop.is_closed()
