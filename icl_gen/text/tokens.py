"""Encodes documents with loss weights, and prompts with choices to score.

Only here do texts become ids. A text is always text: what spells a control
token, such as '<end_of_turn>' in a document, is encoded in ordinary pieces. BOS
and EOS, and the marks of turns (`prompts.Mark`), are added as ids.

Every row starts with exactly one BOS. A choice is tokenised together with its
prompt. Where a piece spans the boundary, the boundary moves back before it, so
that the ids before the boundary are always a prefix of the prompt's own. All
choices of a question share one boundary, so that they are scored on the same
text.
"""

import collections
import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
from google.protobuf import message

from icl_gen.text import controls, inflection, lexicon, prompts
from icl_gen.text.prompts import Mark, Text
from icl_gen.types import Corpus, Document


class Tokenizer:
  """A SentencePiece model with Gemma's special ids.

  Attributes:
    pad_id, eos_id, bos_id, unk_id: 0, 1, 2, 3 as in Gemma.
    newline_id: id of a line break.
    size: number of pieces.
    control_ids: the ids that are not text, those above included. No text is
      encoded to one (unk_id excepted, if the model has no pieces for bytes),
      and none is decoded to a text.
    turn_ids: id of each mark of turns; empty if the model has no turns.
    end_ids: the ids that end a completion: EOS, and the end of a turn.
  """

  def __init__(self, model: bytes):
    separated = controls.separate(model)
    self._pieces = sentencepiece.SentencePieceProcessor(
      model_proto=separated.SerializeToString()
    )
    self.pad_id = self._pieces.pad_id()
    self.eos_id = self._pieces.eos_id()
    self.bos_id = self._pieces.bos_id()
    self.unk_id = self._pieces.unk_id()
    self.newline_id = self._pieces.piece_to_id('\n')
    self.size = self._pieces.get_piece_size()
    self.control_ids = controls.ids(separated)
    self.turn_ids = self._turn_ids(separated)
    self.end_ids = (self.eos_id,) + tuple(
      id for mark, id in self.turn_ids.items() if mark is Mark.END_OF_TURN
    )
    self._newline = self._pieces.encode('\n')
    # Cached per tokenizer: words, and the bullets after a context, recur.
    self.encode_word = functools.lru_cache(maxsize=200_000)(self.encode)
    self.encode_inner = functools.lru_cache(maxsize=200_000)(self._inner)

  def _turn_ids(self, model: Any) -> dict[Mark, int]:
    # What follows a mark is encoded apart. A model that puts a space before
    # every text, as the nano one does, would put it after every mark too.
    if model.normalizer_spec.add_dummy_prefix:
      return {}
    found = {mark: self._pieces.piece_to_id(mark.value) for mark in Mark}
    controls_only = self.control_ids - {self.unk_id}  # unk: no such piece
    return found if controls_only.issuperset(found.values()) else {}

  def encode(self, text: Text) -> list[int]:
    """Returns the ids of a text, without BOS or EOS.

    Raises:
      KeyError: for a mark that the model does not have; see `require_turns`.
    """
    return self._encode(text, self._pieces.encode)

  def _encode(
    self, text: Text, encode_first: Callable[[str], list[int]]
  ) -> list[int]:
    """Encodes the first of a text's parts in a way of its own."""
    if isinstance(text, str):
      return encode_first(text)
    ids, encode = [], encode_first
    for part in text:
      ids += encode(part) if isinstance(part, str) else [self.turn_ids[part]]
      encode = self._pieces.encode
    return ids

  def count(self, text: Text) -> int:
    """Returns the number of ids of a text, without BOS or EOS."""
    return len(self.encode(text))

  def _inner(self, text: Text) -> list[int]:
    """Returns the ids of a text that follows a line break.

    Raises:
      ValueError: the line break merges with the text, so that a context cannot
        be encoded separately from what follows it.
    """
    return self._encode(text, self._after_newline)

  def _after_newline(self, text: str) -> list[int]:
    ids = self._pieces.encode('\n' + text)
    if ids[: len(self._newline)] != self._newline:
      raise ValueError(
        f'the tokenizer merges a line break with {text[:20]!r}; a prompt after'
        ' a context must start with something else'
      )
    return ids[len(self._newline) :]

  def decode(self, ids: Iterable[int] | np.ndarray) -> str:
    """Returns the text of ids; those of `control_ids` have none."""
    texts = [int(i) for i in ids if int(i) not in self.control_ids]
    return self._pieces.decode(texts)


def load(path: str | Path) -> Tokenizer:
  """Loads a SentencePiece model.

  Raises:
    ValueError: there is no such file, it is not a SentencePiece model, or its
      special ids are not Gemma's.
  """
  path = Path(path)
  if not path.is_file():
    raise ValueError(
      f'no tokenizer at {str(path)!r}: give the path of a SentencePiece model'
      ' (*.model) of the Gemma family'
    )
  try:
    tokenizer = Tokenizer(path.read_bytes())
  except (RuntimeError, message.DecodeError) as error:
    raise ValueError(
      f'{str(path)!r} is not a SentencePiece model: give another file, or'
      ' delete it and re-run the command that wrote it'
    ) from error
  found = (
    tokenizer.pad_id,
    tokenizer.eos_id,
    tokenizer.bos_id,
    tokenizer.unk_id,
  )
  if found != (0, 1, 2, 3):
    raise ValueError(
      f'tokenizer {str(path)!r} has (pad, eos, bos, unk) = {found}; Gemma'
      " models need (0, 1, 2, 3): is it another model family's?"
    )
  return tokenizer


def require_turns(tokenizer: Tokenizer) -> None:
  """Checks that the tokenizer has pieces for the marks of turns.

  Raises:
    ValueError: it has not, or it puts a space before every text.
  """
  if not tokenizer.turn_ids:
    names = ' and '.join(repr(mark.value) for mark in Mark)
    raise ValueError(
      f'the tokenizer has no turns (no pieces {names}, or a space before every'
      ' text): chats need an instruction-tuned Gemma model with its own'
      ' tokenizer'
    )


def report(tokenizer: Tokenizer, corpus: Corpus) -> dict[str, Any]:
  """Counts the tokens of a corpus.

  Returns:
    JSON values. 'pieces': size of the tokenizer; 'documents': tokens of all
    documents; 'longest': tokens of the longest document; 'words': number of
    tokens (as a string) -> number of different nonsense words in the documents,
    inflected as they are there, that have so many.
  """
  texts = [document.text for document in corpus.documents]
  lengths = [tokenizer.count(text) for text in texts]
  nonsense = {
    said
    for word in lexicon.words(evaluation=True)
    for said in (word, inflection.plural(word), inflection.past(word))
  }
  words = {word for text in texts for word in re.findall(r'\w+', text)}
  # Words are counted inside of a text, because only some tokenizers put a space
  # before its first word.
  before = tokenizer.count('the')
  taken = collections.Counter(
    tokenizer.count(f'the {word}') - before
    for word in words
    if word.lower() in nonsense
  )
  return {
    'pieces': tokenizer.size,
    'documents': sum(lengths),
    'longest': max(lengths, default=0),
    'words': {str(count): taken[count] for count in sorted(taken)},
  }


@dataclasses.dataclass(frozen=True)
class Row:
  """A prompt and a choice.

  Attributes:
    ids: int32[L].
    given: number of leading ids that are not scored.
  """

  ids: np.ndarray
  given: int


def encode_document(
  tokenizer: Tokenizer, document: Document, *, loss_on: str
) -> tuple[np.ndarray, np.ndarray]:
  """Encodes a training row: BOS, the text, EOS, with loss weights.

  For a document with the prompt 'Glon Trask is', by `loss_on`:
    ids:      bos  Gl  on  Tr  ask  is  the  ...  .  eos
    'text':    0    1   1   1   1   1    1    1   1   1
    'completion':
               0    0   0   0   0   0    1    1   1   1

  With loss on the completion, a text that is all prompt has no weight, not even
  on EOS.

  Args:
    tokenizer: the tokenizer.
    document: the completion starts after its `prompt_length` characters.
    loss_on: 'text' or 'completion'.

  Returns:
    ids int32[L] and weights float32[L].

  Raises:
    ValueError: the text is empty, or `loss_on` is unknown.
  """
  if loss_on not in ('text', 'completion'):
    raise ValueError(f"loss_on={loss_on!r}; allowed are 'text', 'completion'")
  ids = tokenizer.encode(document.text)
  if not ids:
    raise ValueError(f'document {document.id!r} is empty; remove it')
  weights = np.ones(len(ids) + 2, np.float32)
  weights[0] = 0
  if loss_on == 'completion' and document.prompt_length:
    prompt = tokenizer.encode(document.text[: document.prompt_length])
    weights[: 1 + _shared(prompt, ids)] = 0
    if document.prompt_length >= len(document.text):
      weights[-1] = 0  # A prompt continues, so EOS must not be learned.
  return (
    np.asarray([tokenizer.bos_id, *ids, tokenizer.eos_id], np.int32),
    weights,
  )


def encode_choice(
  tokenizer: Tokenizer, prompt: Text, choice: str, *, after_context: bool
) -> Row:
  """Encodes a prompt with one choice, whose ids are scored.

    prompt 'femp are', choice ' less dangerous':
    ids:    [bos]  fe  mp  are  less  dangerous
    scored:                      x       x

  Where the last piece of the prompt merges with the choice, it is scored too.

  Args:
    tokenizer: the tokenizer.
    prompt: the text before the choice.
    choice: the text to score.
    after_context: whether the row follows a context, and so has no BOS.

  Raises:
    ValueError: the choice adds no id to the prompt.
  """
  encode = tokenizer.encode_inner if after_context else tokenizer.encode
  ids, before = encode(prompts.join(prompt, choice)), encode(prompt)
  given = _shared(before, ids)
  if given == len(ids):
    raise ValueError(
      f'choice {choice!r} adds no token to prompt {prompt!r}; it cannot be'
      ' scored. Give a choice with text in it.'
    )
  if not after_context:
    ids, given = [tokenizer.bos_id, *ids], given + 1
  return Row(np.asarray(ids, np.int32), given)


def encode_choices(
  tokenizer: Tokenizer,
  prompt: Text,
  choices: Sequence[str],
  *,
  after_context: bool,
) -> list[Row]:
  """Encodes a prompt with each of its choices, scored from a common place on.

  That is the first place where any of the rows differs from the prompt alone:

    prompt 'The code is ', choices 'gold' and '42':
    ids:    [bos]  The  code  is  _gold        [bos]  The  code  is  _  4  2
    scored:                       x                                  x  x  x

  Otherwise 'gold' would be scored with its space, and '42' without.

  Args:
    tokenizer: the tokenizer.
    prompt: the text before the choice.
    choices: the texts to score.
    after_context: as for `encode_choice`.

  Raises:
    ValueError: a choice adds no id to the prompt.
  """
  rows = [
    encode_choice(tokenizer, prompt, choice, after_context=after_context)
    for choice in choices
  ]
  given = min(row.given for row in rows)
  return [dataclasses.replace(row, given=given) for row in rows]


def _shared(one: list[int], other: list[int]) -> int:
  """Returns the length of the longest common prefix."""
  length = 0
  for a, b in zip(one, other, strict=False):
    if a != b:
      break
    length += 1
  return length
