"""Encodes documents with loss weights, and prompts with choices to score.

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
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece

from icl_gen.text import inflection, lexicon, prompts
from icl_gen.types import Corpus, Document


class Tokenizer:
  """A SentencePiece model with Gemma's special ids.

  Attributes:
    pad_id, eos_id, bos_id, unk_id: 0, 1, 2, 3 as in Gemma.
    newline_id: id of a line break.
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
    # Cached per tokenizer: words, and the bullets after a context, recur.
    self.encode_word = functools.lru_cache(maxsize=200_000)(self.encode)
    self.encode_inner = functools.lru_cache(maxsize=200_000)(self._inner)

  def encode(self, text: str) -> list[int]:
    """Returns the ids of a text, without BOS or EOS."""
    return self._pieces.encode(text)

  def count(self, text: str) -> int:
    """Returns the number of ids of a text, without BOS or EOS."""
    return len(self.encode(text))

  def _inner(self, text: str) -> list[int]:
    """Returns the ids of a text that follows a line break.

    Raises:
      ValueError: the line break merges with the text, so that a context cannot
        be encoded separately from what follows it.
    """
    ids = self._pieces.encode('\n' + text)
    if ids[: len(self._newline)] != self._newline:
      raise ValueError(
        f'the tokenizer merges a line break with {text[:20]!r}; a prompt after'
        ' a context must start with something else'
      )
    return ids[len(self._newline) :]

  def decode(self, ids: Iterable[int] | np.ndarray) -> str:
    """Returns the text of ids, without special ids."""
    return self._pieces.decode([int(i) for i in ids])


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
    ValueError: one of them is not.
  """
  for marker in (prompts.START_OF_TURN, prompts.END_OF_TURN):
    if len(tokenizer.encode(marker)) != 1:
      raise ValueError(
        f'the tokenizer has no piece {marker!r}: chats need an'
        ' instruction-tuned Gemma model with its own tokenizer'
      )


def end_of_turn(tokenizer: Tokenizer) -> int:
  """Returns the id that ends a turn of a chat.

  Raises:
    ValueError: as `require_turns`.
  """
  require_turns(tokenizer)
  (found,) = tokenizer.encode(prompts.END_OF_TURN)
  return found


def stops(tokenizer: Tokenizer) -> tuple[int, ...]:
  """Returns the ids that end a generated text, in or outside of a chat."""
  found = tokenizer.encode(prompts.END_OF_TURN)
  return (tokenizer.eos_id, *found) if len(found) == 1 else (tokenizer.eos_id,)


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
  tokenizer: Tokenizer, prompt: str, choice: str, *, after_context: bool
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
