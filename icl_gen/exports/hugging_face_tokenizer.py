"""A SentencePiece model as the tokenizer files that transformers loads.

`tokenizer.model` is copied, since we and others read it. `tokenizer.json` has
the same pieces for the `tokenizers` library, which gives the same ids; only
markers such as `<bos>` and `<start_of_turn>`, if a text spells them out, are
single ids there, as with released models. Its chat template writes the turns in
which `text/context.py` asks.
"""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from sentencepiece import sentencepiece_model_pb2

from icl_gen.text import tokens

_PIECE = sentencepiece_model_pb2.ModelProto.SentencePiece
_TRAINER = sentencepiece_model_pb2.TrainerSpec
_SPACE = '▁'
# For pieces of a unigram model that SentencePiece never matches with a text.
_NEVER = -1e9
_ROLES = ('pad', 'eos', 'bos', 'unk')  # of ids 0 to 3, as in all Gemmas
# Gemma has turns of the user and of the model only.
_CHAT = (
  '{{ bos_token }}'
  '{% for message in messages %}'
  "{% set role = 'model' if message['role'] == 'assistant'"
  " else message['role'] %}"
  "{% if role != ('user' if loop.index0 % 2 == 0 else 'model') %}"
  "{{ raise_exception('Turns must alternate: user, assistant, user, ...') }}"
  '{% endif %}'
  "{{ '<start_of_turn>' + role + '\n' + (message['content'] | trim)"
  " + '<end_of_turn>\n' }}"
  '{% endfor %}'
  "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


def write(folder: pathlib.Path, model: bytes) -> None:
  """Writes the tokenizer files to an existing directory.

  Args:
    folder: the directory.
    model: a serialised SentencePiece model with Gemma's special ids.

  Raises:
    ValueError: if its kind or its normalisation cannot be expressed.
  """
  proto = sentencepiece_model_pb2.ModelProto.FromString(model)
  special = {
    f'{role}_token': piece.piece
    for role, piece in zip(_ROLES, proto.pieces[:4], strict=True)
  }
  # The class that takes everything from tokenizer.json.
  settings: dict[str, Any] = special | {
    'tokenizer_class': 'PreTrainedTokenizerFast',
    'add_bos_token': True,
    'add_eos_token': False,
    'clean_up_tokenization_spaces': False,
    'padding_side': 'left',
  }
  if tokens.Tokenizer(model).turn_ids:
    settings['chat_template'] = _CHAT
  (folder / 'tokenizer.model').write_bytes(model)
  for name, content in (
    ('tokenizer.json', content_of(proto)),
    ('tokenizer_config.json', settings),
    ('special_tokens_map.json', special),
  ):
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (folder / name).write_text(text + '\n', 'utf-8')


def content_of(proto: sentencepiece_model_pb2.ModelProto) -> dict[str, Any]:
  """The content of tokenizer.json.

  Raises:
    ValueError: as `write`.
  """
  rules = proto.normalizer_spec
  if rules.precompiled_charsmap or rules.remove_extra_whitespaces:
    raise ValueError(
      'the tokenizer changes characters or removes spaces before it looks for'
      ' pieces, which Gemma tokenizers do not: it cannot be exported'
    )
  kind = proto.trainer_spec.model_type
  if kind not in (_TRAINER.UNIGRAM, _TRAINER.BPE):
    raise ValueError(
      'the tokenizer is neither a unigram nor a BPE model: it cannot be'
      ' exported'
    )
  is_unigram = kind == _TRAINER.UNIGRAM
  prefix = rules.add_dummy_prefix
  return {
    'version': '1.0',
    'truncation': None,
    'padding': None,
    'added_tokens': _added(proto, also_user_defined=not is_unigram),
    'normalizer': _sequence(
      'normalizers',
      [{'type': 'Prepend', 'prepend': _SPACE}] * prefix
      + [_replace(' ', _SPACE)],
    ),
    'pre_tokenizer': None,
    'post_processor': _with_bos(proto.pieces[2].piece),
    'decoder': _sequence(
      'decoders',
      [_replace(_SPACE, ' '), {'type': 'ByteFallback'}, {'type': 'Fuse'}]
      + [{'type': 'Strip', 'content': ' ', 'start': 1, 'stop': 0}] * prefix,
    ),
    'model': _unigram(proto) if is_unigram else _bpe(proto),
  }


def _added(
  proto: sentencepiece_model_pb2.ModelProto, *, also_user_defined: bool
) -> list[dict[str, Any]]:
  """Pieces that are looked for before all others, longest first.

  A unigram model finds user-defined pieces by their score.
  """
  kinds = [_PIECE.CONTROL, _PIECE.UNKNOWN]
  kinds += [_PIECE.USER_DEFINED] * also_user_defined
  return [
    {
      'id': number,
      'content': piece.piece,
      'single_word': False,
      'lstrip': False,
      'rstrip': False,
      # Runs of spaces are found only after spaces were replaced.
      'normalized': _SPACE in piece.piece,
      'special': piece.type != _PIECE.USER_DEFINED,
    }
    for number, piece in enumerate(proto.pieces)
    if piece.type in kinds
  ]


def _unigram(proto: sentencepiece_model_pb2.ModelProto) -> dict[str, Any]:
  highest = max(p.score for p in proto.pieces if p.type == _PIECE.NORMAL)

  def score(piece: Any) -> float:
    if piece.type == _PIECE.USER_DEFINED:
      # SentencePiece's own rule, whatever score the file has.
      return len(piece.piece.encode()) * highest - 0.1
    return piece.score if piece.type == _PIECE.NORMAL else _NEVER

  return {
    'type': 'Unigram',
    'unk_id': 3,
    'byte_fallback': proto.trainer_spec.byte_fallback,
    'vocab': [[piece.piece, score(piece)] for piece in proto.pieces],
  }


def _bpe(proto: sentencepiece_model_pb2.ModelProto) -> dict[str, Any]:
  return {
    'type': 'BPE',
    'dropout': None,
    'unk_token': proto.pieces[3].piece,
    'continuing_subword_prefix': None,
    'end_of_word_suffix': None,
    'fuse_unk': True,
    'byte_fallback': proto.trainer_spec.byte_fallback,
    'ignore_merges': False,
    'vocab': {piece.piece: number for number, piece in enumerate(proto.pieces)},
    'merges': _merges(proto.pieces),
  }


def _merges(pieces: Sequence[Any]) -> list[tuple[str, str]]:
  """Every way to make a piece of two others, better pieces first.

  SentencePiece merges the pair that makes the piece with the best score.
  """
  normal = [piece for piece in pieces if piece.type == _PIECE.NORMAL]
  id_of = {piece.piece: number for number, piece in enumerate(normal)}
  found = []
  for piece in sorted(normal, key=lambda one: -one.score):
    text = piece.piece
    halves = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
    made = [(a, b) for a, b in halves if a in id_of and b in id_of]
    found += sorted(made, key=lambda pair: (id_of[pair[0]], id_of[pair[1]]))
  return found


def _sequence(name: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
  return {'type': 'Sequence', name: steps}


def _replace(pattern: str, content: str) -> dict[str, Any]:
  return {
    'type': 'Replace',
    'pattern': {'String': pattern},
    'content': content,
  }


def _with_bos(bos: str) -> dict[str, Any]:
  def row(*names: str) -> list[dict[str, Any]]:
    first = {'SpecialToken': {'id': bos, 'type_id': 0}}
    return [
      part
      for number, name in enumerate(names)
      for part in (first, {'Sequence': {'id': name, 'type_id': number}})
    ]

  return {
    'type': 'TemplateProcessing',
    'single': row('A'),
    'pair': row('A', 'B'),
    'special_tokens': {bos: {'id': bos, 'ids': [2], 'tokens': [bos]}},
  }
