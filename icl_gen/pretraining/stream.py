"""The pretraining stream: rows of tokens and loss weights.

Each row is a pure function of (seed, step, row), so that a resumed run sees the
same rows as an uninterrupted one without any saved state.
"""

import dataclasses
import functools
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from icl_gen.pretraining import compared, episodes, marks
from icl_gen.pretraining.episode import SEEN, Episode, Source
from icl_gen.pretraining.told import Told, texts
from icl_gen.text import prompts
from icl_gen.text.tokens import Tokenizer
from icl_gen.types import Batch


@dataclasses.dataclass(frozen=True)
class Stage:
  """One stage of pretraining.

  Attributes:
    steps: number of optimizer steps.
    learning_rate: at the first and the last step of the stage; linear between.
    rows: rows per batch.
    length: tokens per row.
    facts: minimum and maximum number of facts of an episode.
    families: sampling weight of each family, by its name in
      `episodes.families`; they need not sum to one.
    modes: sampling weight of each row layout: 'context', 'local', 'global',
      'plain' and 'once'.
    document_weight: loss weight of documents and of unpredictable words.
    decisive_weight: loss weight of the word that a reversal inverts.
    lookup_weight: loss weight of a name that is looked up by its description.
    rounds: statements about each document in the layout 'context'.
    forms: one of `forms.split.STREAMS`; 'pretraining' leaves out what is held
      out.
    reversals: share of the statements about comparisons that reverse one.
    told: facts about persistent entities that some of the rows tell.
    source: of the words and wordings of episodes. Those of `told` are kept from
      them in any case.
  """

  steps: int
  learning_rate: tuple[float, float]
  rows: int
  length: int
  facts: tuple[int, int]
  families: Mapping[str, float]
  modes: Mapping[str, float]
  document_weight: float
  decisive_weight: float
  lookup_weight: float
  rounds: int = 2
  forms: str = 'all'
  reversals: float = compared.REVERSALS
  told: Told = Told()
  source: Source = SEEN

  def __post_init__(self) -> None:
    if self.told.facts:
      entities = len(self.told.entities)
      source = dataclasses.replace(self.source, entities=entities)
      object.__setattr__(self, 'source', source)


@dataclasses.dataclass(frozen=True)
class Deciding:
  """A word of a row that decides whether a statement is true.

  Attributes:
    place: of its ids in the row.
    others: first ids of the words that would have been true as well.
  """

  place: slice
  others: frozenset[int]

  def is_right(self, said: np.ndarray, predicted: np.ndarray) -> bool:
    """Whether a model's likeliest ids say this word, or another true one.

    Of a word with alternatives, the first id decides.

    Args:
      said: int32[L], the row.
      predicted: int32[L]; the id at i is predicted for the place i, from the
        ids of the row before it.
    """
    first = predicted[self.place.start]
    if self.others:
      return int(first) in {*self.others, int(said[self.place.start])}
    return bool((predicted[self.place] == said[self.place]).all())


class Writer:
  """Turns lines of marked words into the ids and loss weights of a row.

  Attributes:
    ids: the ids so far, which may be more than a row holds.
    weights: the loss weight of each id.
    deciding: where words are that decide whether a statement is true.
  """

  def __init__(self, tokenizer: Tokenizer, stage: Stage):
    self._tokenizer = tokenizer
    self._length = stage.length
    self._document_weight = stage.document_weight
    self._decisive_weight = stage.decisive_weight
    self._lookup_weight = stage.lookup_weight
    self.ids = [tokenizer.bos_id]
    self.weights = [0.0]
    self.deciding: list[Deciding] = []

  @property
  def full(self) -> bool:
    """Whether the ids fill a row."""
    return len(self.ids) >= self._length

  def line(self, text: str, *, document: bool = False) -> None:
    """Adds a line of marked words and a line break.

    Args:
      text: the words, one space apart.
      document: whether unmarked words get the weight of documents, not 1.
    """
    opens = len(self.ids) == 1 or self.ids[-1] == self._tokenizer.eos_id
    for i, word in enumerate(text.split(' ')):
      others = marks.others(word)
      is_deciding = word.startswith((marks.DECISIVE, marks.LOOKED_UP))
      word, weight = self._weighed(word, document=document)
      raw = i == 0 and not opens
      found = (
        self._tokenizer.encode_inner(word)
        if raw
        else self._tokenizer.encode_word(word)
      )
      if is_deciding:
        firsts = [self._tokenizer.encode_word(one)[0] for one in others]
        place = slice(len(self.ids), len(self.ids) + len(found))
        self.deciding.append(Deciding(place, frozenset(firsts)))
      self.ids += found
      self.weights += [weight] * len(found)
    self._append(self._tokenizer.newline_id, 1.0)

  def _weighed(self, word: str, *, document: bool) -> tuple[str, float]:
    """Returns the word without its mark, and its loss weight."""
    if word.startswith(marks.UNPREDICTABLE):
      return word[1:], self._document_weight
    if word.startswith(marks.DECISIVE):
      return marks.removed(word), self._decisive_weight
    if word.startswith(marks.LOOKED_UP):
      return word[1:], self._lookup_weight
    return word, self._document_weight if document else 1.0

  def end(self) -> None:
    """Ends a text: EOS replaces the last line break."""
    if self.ids[-1] == self._tokenizer.newline_id:
      self.ids.pop()
      self.weights.pop()
    self._append(self._tokenizer.eos_id, 1.0)

  def _append(self, token: int, weight: float) -> None:
    self.ids.append(token)
    self.weights.append(weight)

  def row(self) -> tuple[np.ndarray, np.ndarray]:
    """Returns ids int32[L] and weights float32[L], cut to the row's length."""
    return (
      np.asarray(self.ids[: self._length], np.int32),
      np.asarray(self.weights[: self._length], np.float32),
    )


def _draw(rng: random.Random, weights: Mapping[str, float]) -> str:
  names = sorted(weights)
  return rng.choices(names, [weights[name] for name in names])[0]


def _write_context(
  rng: random.Random, episode: Episode, writer: Writer, *, rounds: int
) -> None:
  """Writes the documents, then rounds of statements about each of them."""
  for document in episode.documents:
    writer.line(prompts.bullet(document), document=True)
  for _ in range(rounds):
    for i in rng.sample(range(len(episode.documents)), len(episode.documents)):
      writer.line(prompts.bullet(episode.ask(rng, i)))


def _write_lines(
  lines: Sequence[str], writer: Writer, *, document: bool = False
) -> None:
  for line in lines:
    writer.line(line, document=document)


def _write_local(rng: random.Random, episode: Episode, writer: Writer) -> None:
  """Writes the local prompt and its answer for each document."""
  for i, document in enumerate(episode.documents):
    _write_lines(
      prompts.local(document).rstrip('\n').split('\n'), writer, document=True
    )
    _write_lines([prompts.bullet(s) for s in episode.infer(rng, i)], writer)
    writer.end()


def _write_global(rng: random.Random, episode: Episode, writer: Writer) -> None:
  """Writes all documents, then global prompts with answers until it is full."""
  for document in episode.documents:
    writer.line(prompts.bullet(document), document=True)
  for i in rng.sample(range(len(episode.documents)), len(episode.documents)):
    if writer.full:
      break
    _write_lines(
      prompts.global_(episode.documents[i]).rstrip('\n').split('\n'), writer
    )
    infer = episode.infer_together or episode.infer
    _write_lines([prompts.bullet(s) for s in infer(rng, i)], writer)
    writer.end()


def _write_plain(rng: random.Random, episode: Episode, writer: Writer) -> None:
  """Writes the documents as separate texts, as in fine-tuning."""
  del rng
  for document in episode.documents:
    writer.line(document, document=True)
    writer.end()


def _write_told(rng: random.Random, told: Told, writer: Writer) -> None:
  """Writes facts about persistent entities as separate texts, each once."""
  for text in texts(rng, told):
    if writer.full:
      break
    writer.line(text)
    writer.end()


def _write_once(rng: random.Random, episode: Episode, writer: Writer) -> None:
  """Writes the documents and one statement, which repeats no other one."""
  for document in episode.documents:
    writer.line(prompts.bullet(document), document=True)
  i = rng.randrange(len(episode.documents))
  writer.line(prompts.bullet(episode.ask(rng, i)))
  writer.end()


_Write = Callable[[random.Random, Episode, Writer], None]


def _modes(rounds: int) -> dict[str, _Write]:
  return {
    'context': functools.partial(_write_context, rounds=rounds),
    'local': _write_local,
    'global': _write_global,
    'plain': _write_plain,
    'once': _write_once,
  }


def row(
  stage: Stage, tokenizer: Tokenizer, *, seed: str
) -> tuple[np.ndarray, np.ndarray]:
  """Draws a row.

  Args:
    stage: length, families and layouts.
    tokenizer: the tokenizer.
    seed: name of the random draw.

  Returns:
    ids int32[L] and loss weights float32[L].
  """
  return written(stage, tokenizer, seed=seed).row()


def written(stage: Stage, tokenizer: Tokenizer, *, seed: str) -> Writer:
  """Draws a row, as `row` does; returns its writer."""
  rng = random.Random(seed)
  writer = Writer(tokenizer, stage)
  # A stream without such facts makes no draw for them: its rows are those of
  # the embedded models.
  if stage.told.share and rng.random() < stage.told.share:
    _write_told(rng, stage.told, writer)
  families = episodes.families(
    stage.forms,
    reversals=stage.reversals,
    source=stage.source,
  )
  modes = _modes(stage.rounds)
  while not writer.full:
    family = _draw(rng, stage.families)
    count = rng.randint(*stage.facts)
    # The documents of these families are longer than those of the others.
    if family in ('syllogisms', 'kinds', 'lookup', 'reversed'):
      count = max(1, count // 2)
    elif family in ('people', 'described'):
      count = max(1, count * 2 // 3)
    episode = families[family](rng, count)
    modes[_draw(rng, stage.modes)](rng, episode, writer)
  return writer


def batches(
  stage: Stage, tokenizer: Tokenizer, *, seed: str, first_step: int
) -> Iterator[Batch]:
  """Yields the batches of a stage from `first_step` on, without end.

  Args:
    stage: shapes, families and layouts.
    tokenizer: the tokenizer.
    seed: of the run; a row is drawn by '<seed>/<step>/<row>'.
    first_step: step of the first batch.
  """
  positions_BxL = np.tile(
    np.arange(stage.length, dtype=np.int32), (stage.rows, 1)
  )
  for step in itertools.count(first_step):
    rows = [
      row(stage, tokenizer, seed=f'{seed}/{step}/{r}')
      for r in range(stage.rows)
    ]
    ids, weights = zip(*rows, strict=True)
    yield Batch(
      tokens_BxL=np.stack(ids),
      weights_BxL=np.stack(weights),
      positions_BxL=positions_BxL,
      segments_BxL=np.ones_like(positions_BxL),
    )
