"""The input of fine-tuning: shuffled examples, packed into rows, resumable.

The order of the examples depends only on the seed, and a batch only on the
order and on the examples before it. So a resumed run sees exactly the batches
of an uninterrupted one.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grain
import numpy as np

from icl_gen.training.mixing import Mixture
from icl_gen.types import Batch, Targets

PAD_ID = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Example:
  """One training sequence, without padding.

  Attributes:
    ids: int32[L] token ids, BOS first.
    weights: float32[L] loss weight of predicting `ids[l]`.
    name: a name for messages, such as the id of its document.
    target_ids_LxK: int32 ids of what is to be predicted at each place, in place
      of `ids`; None: these.
    target_shares_LxK: float32 probabilities of the targets, or None.
  """

  ids: np.ndarray
  weights: np.ndarray
  name: str = ''
  target_ids_LxK: np.ndarray | None = None
  target_shares_LxK: np.ndarray | None = None

  def __post_init__(self) -> None:
    assert self.ids.dtype == np.int32, self.ids.dtype
    assert self.weights.dtype == np.float32, self.weights.dtype
    assert self.ids.ndim == 1, self.ids.shape
    assert self.ids.shape == self.weights.shape, (
      self.ids.shape,
      self.weights.shape,
    )
    if self.count:
      ids, shares = self.target_ids_LxK, self.target_shares_LxK
      assert ids is not None and shares is not None
      assert ids.shape == shares.shape == (len(self.ids), self.count)

  @property
  def count(self) -> int:
    """K, the targets of a place; 0: the tokens are the targets."""
    return 0 if self.target_ids_LxK is None else self.target_ids_LxK.shape[1]


class Batches:
  """An iterator over `steps` batches that can be resumed; see `batches`."""

  def __init__(
    self,
    order: Mixture,
    *,
    batch_size: int,
    length: int,
    steps: int,
    count: int,
    identity: Mapping[str, Any],
  ) -> None:
    """Starts at the first batch.

    Args:
      order: of `Example`s.
      batch_size: rows per batch.
      length: tokens per row.
      steps: number of batches.
      count: targets of a place, of examples that have some; 0: none has.
      identity: JSON values that a restored state must have been saved with.
    """
    self._order = order
    self._batch_size = batch_size
    self._length = length
    self._steps = steps
    self._count = count
    self._identity = dict(identity)
    self._step = 0

  def __iter__(self) -> Iterator[Batch]:
    return self

  def __next__(self) -> Batch:
    if self._step >= self._steps:
      raise StopIteration
    rows = self._pack()
    packed = [_row(examples, length=self._length) for examples in rows]
    self._step += 1
    tokens, weights, positions, segments = map(
      np.stack, zip(*packed, strict=True)
    )
    batch = Batch(tokens, weights, positions, segments)
    if not self._count:
      return batch
    targets = [
      _targets_of_row(examples, length=self._length, count=self._count)
      for examples in rows
    ]
    of_batch = map(np.stack, zip(*targets, strict=True))
    return dataclasses.replace(batch, targets=Targets(*of_batch))

  def _pack(self) -> list[list[Example]]:
    """The rows of the next batch: each example in the first row with room.

    The first example that fits into no row opens the next batch.
    """
    # grain's own packer (FirstFitPackIterDataset) took as long as the training
    # step; first fit needs no state but the place in the order.
    rows: list[list[Example]] = [[] for _ in range(self._batch_size)]
    room = [self._length] * self._batch_size
    while True:
      example = self._order.peek()
      size = len(example.ids)
      row = next((r for r, left in enumerate(room) if left >= size), None)
      if row is None:
        return rows
      rows[row].append(example)
      room[row] -= size
      self._order.take()

  def state(self) -> dict[str, Any]:
    """The position as JSON values: steps and examples taken, and of what."""
    return {'step': self._step} | self._order.state() | self._identity

  def restore(self, state: Mapping[str, Any]) -> None:
    """Continues after the batch at which `state` was saved.

    Raises:
      ValueError: if the state was saved with other examples, or another seed,
        batch size or length, or is beyond the last step.
    """
    counts = ('step', *self._order.counted)
    given = {name: state[name] for name in state if name not in counts}
    if given != self._identity:
      raise ValueError(
        f'the input position was saved for {given}, this run has'
        f' {self._identity}; resume with the same data and settings, or start'
        ' in a new directory'
      )
    if not 0 <= state['step'] <= self._steps:
      raise ValueError(
        f'the input position is step {state["step"]}, the run ends at step'
        f' {self._steps}; ask for more steps'
      )
    self._step = state['step']
    self._order.restore(state)


def batches(
  examples: Sequence[Example],
  *,
  batch_size: int,
  length: int,
  seed: int,
  steps: int,
  replayed: Sequence[Example] = (),
  replay_share: float = 0.0,
) -> Batches:
  """Shuffles examples and packs them into `steps` batches.

  Every epoch has each example once, in a new order. Epochs follow one another
  without a gap, so a batch may span two. Short examples share a row as segments
  that do not see each other; how many a batch holds depends on their lengths.
  One row of a batch, for ids [2, 7, 9] and [2, 8], and length 6:

    tokens     2 7 9 2 8 0
    weights    0 w w 0 w 0    (nothing predicts the first token of a segment)
    positions  0 1 2 0 1 0
    segments   1 1 1 2 2 0

  If any example has targets of its own, a batch has targets, with all on the
  token for the others. Everything else is the same without them.

  Args:
    examples: what to train on. Examples without any weight contribute nothing
      to the loss and are left out.
    batch_size: rows per batch, 1 or more.
    length: tokens per row, 1 or more.
    seed: seed of the order, 0 or more.
    steps: number of batches.
    replayed: other examples, shuffled in epochs of their own.
    replay_share: of all tokens, padding apart, that are theirs; 0: none.

  Raises:
    ValueError: if there are no examples, or none with weight, or one is empty
      or longer than `length`.
  """
  examples = _with_weight(examples, length=length)
  identity: dict[str, Any] = {
    'seed': seed,
    'batch_size': batch_size,
    'length': length,
    'examples': len(examples),
    'sha256': _digest(examples),
  }
  again = None
  if replay_share:
    replayed = _with_weight(replayed, length=length)
    again = _shuffled(replayed, seed, 1)
    identity |= {'replay': _digest(replayed), 'replay_share': replay_share}
  own = _shuffled(examples, seed)
  return Batches(
    Mixture(own, replayed=again, share=replay_share),
    batch_size=batch_size,
    length=length,
    steps=steps,
    count=max(example.count for example in examples),
    identity=identity,
  )


def _with_weight(
  examples: Sequence[Example], *, length: int
) -> Sequence[Example]:
  _check_examples(examples, length=length)
  kept = [example for example in examples if example.weights.any()]
  if not kept:
    raise ValueError(
      'no example has weight: with loss on the completion, documents need text'
      ' after their prompts'
    )
  return kept


def _shuffled(
  examples: Sequence[Example], seed: int, *key: int
) -> grain.MapDataset:
  """Endless epochs, each in an order of its own."""
  # grain shuffles epoch e with seed + e, so seed 1 would repeat the epochs of
  # seed 0, one epoch earlier.
  spread = np.random.SeedSequence(seed, spawn_key=key)
  first = int(spread.generate_state(1, np.uint32)[0])
  return grain.MapDataset.source(examples).shuffle(seed=first).repeat()


def _row(examples: Sequence[Example], *, length: int) -> tuple[np.ndarray, ...]:
  """The fields of one row in the order of `Batch`, each [length]."""
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


def certain(ids_L: np.ndarray, *, count: int) -> tuple[np.ndarray, np.ndarray]:
  """Targets int32[L, K] that are all on tokens, and their float32[L, K]."""
  ids_LxK = np.zeros((len(ids_L), count), np.int32)
  shares_LxK = np.zeros((len(ids_L), count), np.float32)
  ids_LxK[:, 0], shares_LxK[:, 0] = ids_L, 1
  return ids_LxK, shares_LxK


def _targets_of_row(
  examples: Sequence[Example], *, length: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
  """The targets of one row, as `_row` aligns its tokens."""
  ids_LxK, shares_LxK = certain(np.full(length, PAD_ID), count=count)
  start = 0
  for example in examples:
    here = slice(start, start + len(example.ids))
    if example.count:
      ids, shares = example.target_ids_LxK, example.target_shares_LxK
    else:
      ids, shares = certain(example.ids, count=count)
    ids_LxK[here], shares_LxK[here] = ids, shares
    start = here.stop
  return ids_LxK, shares_LxK


def _digest(examples: Sequence[Example]) -> str:
  """A hash of the examples and their order."""
  digest = hashlib.sha256()
  for example in examples:
    digest.update(len(example.ids).to_bytes(8, 'little'))
    digest.update(example.ids.tobytes())
    digest.update(example.weights.tobytes())
    if example.target_ids_LxK is not None:
      digest.update(example.target_ids_LxK.tobytes())
    if example.target_shares_LxK is not None:
      digest.update(example.target_shares_LxK.tobytes())
  return digest.hexdigest()


def _check_examples(examples: Sequence[Example], *, length: int) -> None:
  if not examples:
    raise ValueError('there are no examples to train on: give documents')
  for index, example in enumerate(examples):
    name = repr(example.name) if example.name else index
    if len(example.ids) > length:
      longest = max(len(example.ids) for example in examples)
      raise ValueError(
        f'example {name} has {len(example.ids)} tokens, a row holds {length}:'
        f' give --config.train.length={longest}, which holds every example, or'
        ' split documents with --config.train.splitting=independent'
      )
    if len(example.ids) == 0:
      raise ValueError(f'example {name} has no tokens; remove it')
