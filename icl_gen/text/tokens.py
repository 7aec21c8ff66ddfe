"""Text to ids: documents with loss weights, prompts with scored choices.

Knows SentencePiece and nothing of models. Every row starts with exactly one
BOS. A choice is tokenised together with its prompt, and where pieces merge
over the boundary the boundary moves back, so that a prompt's ids are always a
prefix of the ids of prompt and choice. The choices of one question have one
boundary, so that all of them are scored for the same text.
"""

import collections
import dataclasses
import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece

from icl_gen.text import categories, lexicon, prompts
from icl_gen.types import Corpus, Document


class Tokenizer:
  """A SentencePiece model with Gemma's special ids.

  Attributes:
    pad_id, eos_id, bos_id, unk_id: as in Gemma: 0, 1, 2, 3.
    newline_id: the piece of a line break.
    size: number of pieces.
  """

  def __init__(self, model: bytes):
    self._pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    self.pad_id = self._pieces.pad_id()
    self.eos_id = self._pieces.eos_id()
    self.bos_id = self._pieces.bos_id()
    self.unk_id = self._pieces.unk_id()
    self.newline_id = self._pieces.piece_to_id('\n')
    self.size = self._pieces.get_piece_size()
    self._newline = self._pieces.encode('\n')
    self.encode_word = functools.lru_cache(maxsize=200_000)(self.encode)
    self.encode_inner = functools.lru_cache(maxsize=200_000)(self._inner)

  def encode(self, text: str) -> list[int]:
    """Ids of a text, without BOS or EOS."""
    return self._pieces.encode(text)

  def count(self, text: str) -> int:
    """How many ids a text takes, without BOS or EOS."""
    return len(self.encode(text))

  def _inner(self, text: str) -> list[int]:
    """Ids of a text that follows a line break.

    Raises:
      ValueError: if the line break merges with what follows it; then a
        context cannot be encoded apart from what comes after it.
    """
    ids = self._pieces.encode('\n' + text)
    if ids[: len(self._newline)] != self._newline:
      raise ValueError(
        f'the tokenizer merges a line break with {text[:20]!r}; start what'
        ' follows a context with something else'
      )
    return ids[len(self._newline) :]

  def decode(self, ids) -> str:
    """Text of ids; special ids vanish."""
    return self._pieces.decode([int(i) for i in ids])


def load(path: str | Path) -> Tokenizer:
  """Reads a SentencePiece model.

  Raises:
    ValueError: if there is no such file, or its special ids are not Gemma's.
  """
  path = Path(path)
  if not path.is_file():
    raise ValueError(
      f'no tokenizer at {str(path)!r}: give the path of a SentencePiece model'
      ' (*.model) of the Gemma family'
    )
  try:
    tokenizer = Tokenizer(path.read_bytes())
  except RuntimeError as error:
    raise ValueError(f'{str(path)!r} is not a SentencePiece model') from error
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
  """Checks that the markers of chat turns are single ids of the tokenizer.

  Raises:
    ValueError: names the first that is not.
  """
  for marker in (prompts.START_OF_TURN, prompts.END_OF_TURN):
    if len(tokenizer.encode(marker)) != 1:
      raise ValueError(
        f'the tokenizer has no piece {marker!r}: chats are for the'
        ' instruction-tuned Gemma models with their own tokenizer'
      )


def report(tokenizer: Tokenizer, corpus: Corpus) -> dict[str, Any]:
  """How many tokens a corpus takes, as JSON values.

  Returns:
    'pieces': of the tokenizer; 'documents': tokens of all documents; 'longest':
    of the longest one; 'words': of the nonsense words in the documents, as they
    are inflected there, number of tokens (as text) -> how many distinct words
    take so many.
  """
  texts = [document.text for document in corpus.documents]
  lengths = [tokenizer.count(text) for text in texts]
  nonsense = {
    said
    for word in lexicon.words(evaluation=True)
    for said in (word, categories.plural(word), categories.past(word))
  }
  words = {word for text in texts for word in re.findall(r'\w+', text)}
  # Within a text: some tokenizers put a space before it, others do not.
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
  """Ids with the number of those that are only read.

  Attributes:
    ids: int32[L].
    given: the first `given` ids are context; the others are scored.
  """

  ids: np.ndarray
  given: int


def encode_document(
  tokenizer: Tokenizer, document: Document, *, loss_on: str
) -> tuple[np.ndarray, np.ndarray]:
  """A training row: BOS, the text, EOS, with loss weights.

  With loss on the completion, for prompt 'Glon Trask is':
    ids:      bos  Gl  on  Tr  ask  is  the  ...  .  eos
    'text':    0    1   1   1   1   1    1    1   1   1
    'completion':
               0    0   0   0   0   0    1    1   1   1

  A text that is all prompt has no weight then, not even on EOS.

  Args:
    tokenizer: gives the ids.
    document: what is said; `prompt_length` tells where the completion starts.
    loss_on: 'text' or 'completion'.

  Returns:
    ids int32[L] and weights float32[L].

  Raises:
    ValueError: for an empty text, or an unknown `loss_on`.
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
      weights[-1] = 0  # A prompt goes on: that it ends is not to be learned.
  return (
    np.asarray([tokenizer.bos_id, *ids, tokenizer.eos_id], np.int32),
    weights,
  )


def encode_choice(
  tokenizer: Tokenizer, prompt: str, choice: str, *, after_context: bool
) -> Row:
  """A prompt with one choice; the choice's ids are scored.

    prompt 'femp are', choice ' less dangerous':
    ids:    [bos]  fe  mp  are  less  dangerous
    scored:                      x       x

  BOS is there only when no context comes before. Where the last piece of the
  prompt merges with the choice, it is scored with the choice.

  Raises:
    ValueError: if no piece of the choice is left to score.
  """
  encode = tokenizer.encode_inner if after_context else tokenizer.encode
  ids, before = encode(prompt + choice), encode(prompt)
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
  prompt: str,
  choices: Sequence[str],
  *,
  after_context: bool,
) -> list[Row]:
  """A prompt with each of its choices, which are scored from one place on.

  It is where the first of them leaves the ids of the prompt alone:

    prompt 'The code is ', choices 'gold' and '42':
    ids:    [bos]  The  code  is  _gold        [bos]  The  code  is  _  4  2
    scored:                       x                                  x  x  x

  '42' alone would have its space for nothing, and 'gold' would pay for it.

  Raises:
    ValueError: as `encode_choice`.
  """
  rows = [
    encode_choice(tokenizer, prompt, choice, after_context=after_context)
    for choice in choices
  ]
  given = min(row.given for row in rows)
  return [dataclasses.replace(row, given=given) for row in rows]


def _shared(one: list[int], other: list[int]) -> int:
  """Length of the longest common prefix."""
  length = 0
  for a, b in zip(one, other, strict=False):
    if a != b:
      break
    length += 1
  return length
