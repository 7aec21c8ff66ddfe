"""The input of finetuning: shuffled examples, packed into rows, resumable.

The order of the examples is a function of the seed, and a batch a function of
the order and of how many examples came before, so a resumed run sees exactly
what an uninterrupted one sees, and several processes can each take their rows
of the same batch.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grain
import numpy as np

from icl_gen.types import Batch

PAD_ID = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Example:
  """One training sequence, not yet padded.

  Attributes:
    ids: int32[L] token ids, BOS first.
    weights: float32[L] loss weight of predicting `ids[l]`.
    name: what messages call it, as the id of its document.
  """

  ids: np.ndarray
  weights: np.ndarray
  name: str = ''

  def __post_init__(self):
    assert self.ids.dtype == np.int32, self.ids.dtype
    assert self.weights.dtype == np.float32, self.weights.dtype
    assert self.ids.ndim == 1, self.ids.shape
    assert self.ids.shape == self.weights.shape, (
      self.ids.shape,
      self.weights.shape,
    )


class Batches:
  """An endless order of examples, cut into `steps` batches; see `batches`."""

  def __init__(
    self,
    order: grain.MapDataset,
    *,
    batch_size: int,
    length: int,
    local_rows: slice,
    steps: int,
    identity: Mapping[str, Any],
  ):
    self._order = order
    self._batch_size = batch_size
    self._length = length
    self._local_rows = local_rows
    self._steps = steps
    self._identity = dict(identity)
    self._step = 0
    self._taken = 0

  def __iter__(self) -> Iterator[Batch]:
    return self

  def __next__(self) -> Batch:
    if self._step >= self._steps:
      raise StopIteration
    rows = self._pack()[self._local_rows]
    self._step += 1
    packed = (_row(examples, length=self._length) for examples in rows)
    return Batch(*(np.stack(column) for column in zip(*packed, strict=True)))

  def _pack(self) -> list[list[Example]]:
    """The next examples, each in the first row that has room for it.

    The first example for which no row has room opens the next batch.
    """
    rows: list[list[Example]] = [[] for _ in range(self._batch_size)]
    room = [self._length] * self._batch_size
    while True:
      example = self._order[self._taken]
      size = len(example.ids)
      row = next((r for r, left in enumerate(room) if left >= size), None)
      if row is None:
        return rows
      rows[row].append(example)
      room[row] -= size
      self._taken += 1

  def state(self) -> dict[str, Any]:
    """Returns JSON values: batches and examples given so far, and of what."""
    return {'step': self._step, 'taken': self._taken} | self._identity

  def restore(self, state: Mapping[str, Any]) -> None:
    """Goes on after the batch at which `state` was taken.

    Raises:
      ValueError: the state is of other examples, another seed, batch size or
        length, or lies beyond the last step.
    """
    counts = ('step', 'taken')
    given = {name: state[name] for name in state if name not in counts}
    if given != self._identity:
      raise ValueError(
        f'the input position was saved for {given}, this run has'
        f' {self._identity}; resume with the same data and settings, or start'
        ' in a fresh directory'
      )
    if not 0 <= state['step'] <= self._steps:
      raise ValueError(
        f'the input position is step {state["step"]}, the run ends at step'
        f' {self._steps}; ask for more steps'
      )
    self._step, self._taken = state['step'], state['taken']


def batches(
  examples: Sequence[Example],
  *,
  batch_size: int,
  length: int,
  seed: int,
  steps: int,
  process_index: int = 0,
  process_count: int = 1,
) -> Batches:
  """Returns an iterator over `steps` batches with `.state()` and `.restore()`.

  Each epoch has every example once, in an order of its own; epochs follow one
  another without a gap, so a batch may hold the end of one and the start of the
  next. Short examples share a row, as segments that do not see each other; how
  many a batch holds depends on their lengths. One row of a batch, for ids
  [2, 7, 9] and [2, 8], and length 6:

    tokens     2 7 9 2 8 0
    weights    0 w w 0 w 0    (a first token has nothing to predict it from)
    positions  0 1 2 0 1 0
    segments   1 1 1 2 2 0

  Args:
    examples: what to train on. One without any weight teaches nothing and
      takes no room: it is left out.
    batch_size: rows of a batch, over all processes.
    length: tokens of a row, shared by its examples.
    seed: of the order; any whole number from 0.
    steps: batches to give.
    process_index: which part of each batch's rows to give, from 0.
    process_count: parts of a batch; they follow one another.

  Raises:
    ValueError: no examples, none with weight, one without tokens or longer
      than `length`, or a number out of range.
  """
  _check_numbers(batch_size=batch_size, length=length, seed=seed, steps=steps)
  _check_examples(examples, length=length)
  if not 0 <= process_index < process_count or batch_size % process_count:
    raise ValueError(
      f'batch_size {batch_size} cannot be shared by process {process_index} of'
      f' {process_count}; it must be a multiple of the number of processes'
    )
  examples = [example for example in examples if example.weights.any()]
  if not examples:
    raise ValueError(
      'no example has weight: with loss on the completion, documents need text'
      ' behind their prompts'
    )
  share = batch_size // process_count
  order = grain.MapDataset.source(examples).shuffle(seed=_spread(seed)).repeat()
  return Batches(
    order,
    batch_size=batch_size,
    length=length,
    local_rows=slice(process_index * share, (process_index + 1) * share),
    steps=steps,
    identity={
      'seed': seed,
      'batch_size': batch_size,
      'length': length,
      'examples': len(examples),
      'sha256': _digest(examples),
    },
  )


def _spread(seed: int) -> int:
  # Grain shuffles epoch e with seed + e, so that seed 1 would repeat the
  # epochs of seed 0, one earlier.
  return int(np.random.SeedSequence(seed).generate_state(1, np.uint32)[0])


def _row(examples: Sequence[Example], *, length: int) -> tuple[np.ndarray, ...]:
  """Returns the fields of one row in the order of `Batch`, each [length]."""
  tokens_L = np.full(length, PAD_ID, np.int32)
  weights_L = np.zeros(length, np.float32)
  positions_L = np.zeros(length, np.int32)
  segments_L = np.zeros(length, np.int32)
  start = 0
  for number, example in enumerate(examples, 1):
    stop = start + len(example.ids)
    tokens_L[start:stop] = example.ids
    weights_L[start + 1 : stop] = example.weights[1:]
    positions_L[start:stop] = np.arange(stop - start)
    segments_L[start:stop] = number
    start = stop
  return tokens_L, weights_L, positions_L, segments_L


def _digest(examples: Sequence[Example]) -> str:
  """Returns what tells these examples, in this order, from any others."""
  digest = hashlib.sha256()
  for example in examples:
    digest.update(len(example.ids).to_bytes(8, 'little'))
    digest.update(example.ids.tobytes())
    digest.update(example.weights.tobytes())
  return digest.hexdigest()


def _check_numbers(
  *, batch_size: int, length: int, seed: int, steps: int
) -> None:
  least = {'batch_size': 1, 'length': 1, 'seed': 0, 'steps': 0}
  given = {
    'batch_size': batch_size,
    'length': length,
    'seed': seed,
    'steps': steps,
  }
  for name, value in given.items():
    if value < least[name]:
      raise ValueError(f'{name} is {value}; it must be at least {least[name]}')


def _check_examples(examples: Sequence[Example], *, length: int) -> None:
  if not examples:
    raise ValueError('there are no examples to train on; give some documents')
  for index, example in enumerate(examples):
    name = repr(example.name) if example.name else index
    if len(example.ids) > length:
      raise ValueError(
        f'example {name} has {len(example.ids)} tokens, a row holds {length};'
        f' raise the length to {len(example.ids)} or split the document'
      )
    if len(example.ids) == 0:
      raise ValueError(f'example {name} has no tokens; leave it out')
