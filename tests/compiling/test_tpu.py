"""Every row of the table in docs/real-gemma.md fits, says the TPU compiler.

`make test-tpu` compiles them anew: minutes each, with the commands that the
page names. ARGS="-k gemma3_1b" chooses some.
"""

import math
import re

import pytest

from icl_gen.compiling import topology
from tests.bench import compiled


def missing():
  """Why there is no TPU compiler; '' where there is one."""
  try:
    topology.library('v5e:2x2')
  except ValueError as error:
    return str(error)
  return ''


def axes(kind):
  """[8, 1024] of 'f32[8,1024]'."""
  return [int(axis) for axis in re.findall(r'\d+', kind.partition('[')[2])]


def shape_of_table(found):
  """(vocabulary, width) of a program's model."""
  return next(
    group['shape']
    for group in found['placements']
    if group['parameter'] == 'embedder/input_embedding'
  )


def squares(found, *, length):
  """Arrays with two axes as long as a row, such as weights of attention.

  Rows that are not longer than any axis of a layer cannot be told apart.
  """
  widest = max(
    max(group['shape'])
    for group in found['placements']
    if group['parameter'].startswith('layer')
  )
  return [
    kind
    for kind, _ in found['largest_arrays']
    if length > widest and sum(axis >= length for axis in axes(kind)) > 1
  ]


def logits_of_all(found, *, tokens):
  """Arrays with a value for every piece and token of a device's rows."""
  vocabulary, width = shape_of_table(found)
  found = {kind: math.prod(axes(kind)) for kind, _ in found['largest_arrays']}
  return [
    kind
    for kind, size in found.items()
    if tokens
    and vocabulary in axes(kind)
    # The table itself has them for every width.
    and size != vocabulary * width
    and size >= vocabulary * tokens
  ]


@pytest.mark.slow
@pytest.mark.tpu
@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize('row', compiled.ROWS, ids=lambda row: row.name)
def test_it_fits_and_reaches_its_share_of_the_peak(row, tmp_path):
  told = compiled.compiled(row, tmp_path / 'facts.json')
  assert told
  for found in told['programs'].values():
    assert found['fits'], found.get('refusal')
    # Not known of a program whose loops depend on the length of a context.
    assert found.get('estimated_share_of_peak', 0.0) >= row.share
    assert found['compile_seconds'] <= row.seconds
    assert not squares(found, length=row.length)
    assert not logits_of_all(found, tokens=row.tokens)


def test_what_is_too_large_is_noticed():
  """The checks of the table can fail."""
  placements = [
    {'parameter': 'embedder/input_embedding', 'shape': [2304, 128]},
    {'parameter': 'layer_*/mlp/linear', 'shape': [512, 128]},
  ]

  def program(*kinds):
    arrays = [[kind, 0] for kind in kinds]
    return {'placements': placements, 'largest_arrays': arrays}

  harmless = 'f32[2304,128]', 'bf16[1,600,512]', 'f32[16,2304]'
  assert not squares(program(*harmless), length=600)
  assert not logits_of_all(program(*harmless), tokens=64)
  attention = 'bf16[1,4,600,640]'
  assert squares(program(*harmless, attention), length=600) == [attention]
  # A width may be as long as the row.
  assert not squares(program(attention), length=500)
  logits = 'f32[4,16,2304]'
  assert logits_of_all(program(*harmless, logits), tokens=64) == [logits]
