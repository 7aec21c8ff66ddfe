"""Separates the pieces of a tokenizer that no text may become.

Gemma's SentencePiece models declare <pad>, <eos> and <bos> as control pieces,
which no text becomes, but the markers of turns and images and the unused pieces
as "user-defined" ones, which every text becomes that spells them. A document
with '<start_of_turn>' in it could so forge a turn.

User-defined are also pieces that are ordinary text: runs of line breaks, spaces
or tabs, and tags of HTML. These stay as they are.
"""

import re

from google.protobuf import message
from sentencepiece import sentencepiece_model_pb2

_PIECE = sentencepiece_model_pb2.ModelProto.SentencePiece
# In brackets, like <unused0>, <|turn>, <start_of_image> and [multimodal].
_MARKUP = re.compile(r'<.+>|\[.+\]', re.DOTALL)
_TAG = re.compile('</?([a-z]+[1-6]?)/?>')
# Elements of HTML; names that Gemma uses for something else (<mask>) are not.
_ELEMENTS = frozenset(
  'a abbr b big blockquote body br caption center cite code col colgroup dd'
  ' del details div dl dt em figcaption figure font footer form h1 h2 h3 h4 h5'
  ' h6 head header hr html i img ins kbd label li link main mark nav ol option'
  ' p pre q s samp section select small span strike strong style sub summary'
  ' sup table tbody td tfoot th thead title tr tt u ul var'.split()
)


def is_control(piece: str) -> bool:
  """Whether a user-defined piece is a marker and not ordinary text."""
  if not _MARKUP.fullmatch(piece):
    return False
  tag = _TAG.fullmatch(piece)
  return not (tag and tag[1] in _ELEMENTS)


def separate(model: bytes) -> sentencepiece_model_pb2.ModelProto:
  """Returns a SentencePiece model with markers as control pieces.

  SentencePiece never makes a control piece from text. All other texts are
  encoded as before: user-defined pieces take no part in merges.

  Raises:
    google.protobuf.message.DecodeError: the bytes are not such a model.
  """
  separated = sentencepiece_model_pb2.ModelProto.FromString(model)
  # SentencePiece would take it, and write to stderr at every question.
  if not separated.pieces:
    raise message.DecodeError('it has no pieces')
  for piece in separated.pieces:
    if piece.type == _PIECE.USER_DEFINED and is_control(piece.piece):
      piece.type = _PIECE.CONTROL
  return separated


def ids(model: sentencepiece_model_pb2.ModelProto) -> frozenset[int]:
  """Returns the ids that are not text: control, unknown and unused pieces."""
  text = (_PIECE.NORMAL, _PIECE.USER_DEFINED, _PIECE.BYTE)
  return frozenset(
    id for id, piece in enumerate(model.pieces) if piece.type not in text
  )
