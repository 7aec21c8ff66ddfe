"""Trains the SentencePiece tokenizer of the nano Gemmas.

Ids follow Gemma 3: pad 0, eos 1, bos 2, unk 3, start of turn 105, end of turn
106. A unigram model is trained on English words. Then the words of the
phrasings, and onsets and rimes, are added as pieces that score better than any
trained one. So every nonsense word, even an unseen one, has two pieces, its
onset and its rime. Unlike Gemma's tokenizer this one adds a space before the
text, so that a word has the same pieces at the start of a document as inside.
"""

import io
import random
import string
from collections.abc import Iterator

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from icl_gen.pretraining import english
from icl_gen.text import abilities, lexicon, prompts, quantified
from icl_gen.text.forms import persons, taxonomy
from icl_gen.text.forms.statements import FEATURES, PREAMBLES

_SPACE = '\u2581'
# Better than the log-probability of any trained piece that could compete.
_ADDED_SCORE = -2.0
# Names of slots in the phrasings, which are not words.
SLOTS = frozenset(('N', 'D', 'A', 'B', 'V', 'role', 'verb', 'adjective'))
# The endings of inflected nonsense words.
_ENDINGS = ('s', 'es', 'ed')
# Few enough: SentencePiece silently skips training lines over 4,192 bytes.
_WORDS_PER_LINE = 400
# Pads the ids so that the turn markers are 105 and 106, as in Gemma 3.
_SYMBOLS = (
  ['<mask>', '<2mass>', '[@BOS@]']
  + [f'<unused{i}>' for i in range(98)]
  + ['<start_of_turn>', '<end_of_turn>', '\n']
)


def _surface_words() -> list[str]:
  """Returns the words of the seen forms and prompts, with repetitions.

  Words that are in held-out forms alone are no pieces: pretraining would not
  train these.
  """
  text = ' '.join(
    (
      *PREAMBLES.seen,
      *persons.NAME_FIRST.seen,
      *persons.DESCRIPTION_FIRST.seen,
      *(' '.join(pair) for pair in persons.ROLES.seen),
      *FEATURES.seen,
      *persons.ADJECTIVES.seen,
      *abilities.ABILITIES,
      quantified.relationships('', '', ''),
      abilities.kind_of('', ''),
      *(form for forms in taxonomy.PLAIN.seen.values() for form in forms),
      *persons.LEADS,
      'more less than all some no can are is Yes No true Q: A:',
      prompts.LOCAL,
      prompts.GLOBAL,
    )
  )
  for mark in '{}.,:?"':
    text = text.replace(mark, ' ')
  return text.split()


def _sentences(seed: str) -> Iterator[str]:
  """Yields training lines: English words, then random printable characters."""
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
  """Returns words of the phrasings, onsets in both cases, rimes and endings."""
  words = sorted(set(_surface_words()) - SLOTS)
  return [
    *(_SPACE + word for word in words),
    *(_SPACE + onset for onset in lexicon.ONSETS),
    *(_SPACE + onset.capitalize() for onset in lexicon.ONSETS),
    *lexicon.RIMES,
    *_ENDINGS,
  ]


def train(*, size: int, seed: str) -> bytes:
  """Trains the tokenizer.

  Args:
    size: total number of pieces; all but the added ones are trained.
    seed: name of the random draw of the training lines.

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
  # Pieces may be both trained and added. Unused ones make up for these, so that
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
    minloglevel=2,  # Otherwise it logs its progress to stderr.
  )
  return model.getvalue()
