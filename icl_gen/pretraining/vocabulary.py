"""Makes the nano Gemma's SentencePiece tokenizer.

Ids follow Gemma 3: pad 0, eos 1, bos 2, unk 3, start of turn 105, end of turn
106. A unigram model is trained on English words; whole words of the phrasings,
and onsets and rimes, are then added as pieces of a better score than anything
trained. So every nonsense word, also one never seen, is two pieces: its onset
and its rime. Unlike Gemma's, a space is put before the text, so that a word is
the same pieces at the start of a document and inside of one.
"""

import io
import random
import string
from collections.abc import Iterator

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from icl_gen.pretraining import english
from icl_gen.text import (
  categories,
  comparisons,
  descriptions,
  lexicon,
  preambles,
  prompts,
  quantified,
)

_SPACE = '\u2581'
# Better than the log-probability of any trained piece that could compete.
_ADDED_SCORE = -2.0
# Names of slots in the phrasings; no words.
SLOTS = frozenset(('N', 'D', 'A', 'B', 'V', 'role', 'verb', 'adjective'))
# What an inflected nonsense word ends in.
_ENDINGS = ('s', 'es', 'ed')
# SentencePiece silently skips training lines of more than 4,192 bytes.
_WORDS_PER_LINE = 400
# Gemma 3 has its turn markers at 105 and 106; what lies between is unused.
_SYMBOLS = (
  ['<mask>', '<2mass>', '[@BOS@]']
  + [f'<unused{i}>' for i in range(98)]
  + ['<start_of_turn>', '<end_of_turn>', '\n']
)


def _surface_words() -> list[str]:
  """Every word of the phrasings, prompts and English lists, with repeats."""
  text = ' '.join(
    (
      *preambles.PREAMBLES,
      *descriptions.NAME_FIRST,
      *descriptions.DESCRIPTION_FIRST,
      *(' '.join(pair) for pair in descriptions.ROLES),
      *comparisons.FEATURES,
      *descriptions.ADJECTIVES,
      *categories.ABILITIES,
      quantified.relationships('', '', ''),
      categories.kind_of('', ''),
      *(form for forms in categories.FORMS.values() for form in forms),
      *descriptions.LEADS,
      'more less than all some no can are is Yes No true Q: A:',
      prompts.LOCAL,
      prompts.GLOBAL,
    )
  )
  for mark in '{}.,:?"':
    text = text.replace(mark, ' ')
  return text.split()


def _sentences(seed: str) -> Iterator[str]:
  """Training lines: English words, and every printable character."""
  rng = random.Random(seed)
  plain = sorted(
    set(english.NOUNS)
    | set(english.VERBS)
    | set(english.ADJECTIVES)
    | set(english.PLACES)
    | set(english.MORE)
    | set(english.DEEDS)
    | set(english.OTHER)
  )
  for _ in range(60 * len(plain) // _WORDS_PER_LINE):
    yield ' '.join(rng.sample(plain, _WORDS_PER_LINE))
    words = rng.sample(plain, _WORDS_PER_LINE // 8)
    yield ' '.join(word.capitalize() for word in words)
  letters = string.ascii_letters + string.digits + string.punctuation
  for _ in range(4_000):
    yield ' '.join(rng.choices(letters, k=8))


def _added_pieces() -> list[str]:
  """Words of the phrasings, then onsets (both cases) and rimes."""
  words = sorted(set(_surface_words()) - SLOTS)
  return [
    *(_SPACE + word for word in words),
    *(_SPACE + onset for onset in lexicon.ONSETS),
    *(_SPACE + onset.capitalize() for onset in lexicon.ONSETS),
    *lexicon.RIMES,
    *_ENDINGS,
  ]


def train(*, size: int, seed: str) -> bytes:
  """Makes the tokenizer.

  Args:
    size: number of pieces in all; what the added pieces leave is trained.
    seed: name of the draw of the training lines.

  Returns:
    the serialised SentencePiece model.
  """
  added = _added_pieces()
  trained = _train_unigram(size=size - len(added), seed=seed)
  model = sentencepiece_model_pb2.ModelProto.FromString(trained)
  by_text = {piece.piece: piece for piece in model.pieces}
  for text in added:
    piece = by_text.get(text) or model.pieces.add()
    piece.piece, piece.score = text, _ADDED_SCORE
  # What was trained and also added leaves room; unused pieces fill it, so that
  # the size does not depend on the overlap.
  for i in range(size - len(model.pieces)):
    model.pieces.add(
      piece=f'<spare{i}>',
      score=0,
      type=sentencepiece_model_pb2.ModelProto.SentencePiece.UNUSED,
    )
  return model.SerializeToString(deterministic=True)


def _train_unigram(*, size: int, seed: str) -> bytes:
  model = io.BytesIO()
  sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=_sentences(seed),
    model_writer=model,
    model_type='unigram',
    vocab_size=size,
    pad_id=0,
    eos_id=1,
    bos_id=2,
    unk_id=3,
    user_defined_symbols=_SYMBOLS,
    byte_fallback=True,
    split_digits=True,
    character_coverage=1.0,
    normalization_rule_name='identity',
    remove_extra_whitespaces=False,
    add_dummy_prefix=True,
    num_threads=1,
    minloglevel=2,  # else it tells of every merge, on stderr
  )
  return model.getvalue()
