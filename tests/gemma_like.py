"""A small tokenizer that declares its pieces as Gemma 3's does.

Ids 0 to 3 and 105, 106 are Gemma's. Turns, images and unused pieces are
user-defined, and so are line breaks, spaces and tags of HTML.
"""

import functools
import io

import sentencepiece

MARKERS = (
  '<mask>',
  '[multimodal]',
  *(f'<unused{i}>' for i in range(99)),
  '<start_of_turn>',
  '<end_of_turn>',
)
MORE_MARKERS = ('<start_of_image>', '<end_of_image>', '<unused99>', '<|turn>')
ORDINARY = (
  *('\n' * count for count in (1, 2, 3)),
  *('\u2581' * count for count in (2, 3)),
  '\t\t',
  *('<table>', '</table>', '<h1>', '</h1>', '<b>', '<strong>'),
)
START_OF_TURN, END_OF_TURN = 105, 106
_LINE = 'The start of a turn and the end_of_it: <unused> user model image eos'


@functools.cache
def model():
  """The bytes of the SentencePiece model."""
  written = io.BytesIO()
  sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter([_LINE, 'All glon are more dangerous.'] * 20),
    model_writer=written,
    model_type='bpe',
    vocab_size=560,
    hard_vocab_limit=False,
    pad_id=0,
    eos_id=1,
    bos_id=2,
    unk_id=3,
    pad_piece='<pad>',
    eos_piece='<eos>',
    bos_piece='<bos>',
    user_defined_symbols=[*MARKERS, *ORDINARY, *MORE_MARKERS],
    byte_fallback=True,
    normalization_rule_name='identity',
    remove_extra_whitespaces=False,
    add_dummy_prefix=False,
    num_threads=1,
    minloglevel=2,
  )
  return written.getvalue()


@functools.cache
def as_declared():
  """SentencePiece's own reading of the model, which takes text for markers."""
  return sentencepiece.SentencePieceProcessor(model_proto=model())
