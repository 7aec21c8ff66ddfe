"""The tokenizer has Gemma's ids, encodes any text, and is reproducible."""

import hashlib

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.pretraining import vocabulary
from icl_gen.text import tokens

# Releases of SentencePiece train different pieces.
PINNED = '0.2.3'


@pytest.fixture(scope='module')
def asset(pytestconfig):
  return pytestconfig.rootpath / 'icl_gen/assets/tokenizer.model'


@pytest.fixture(scope='module')
def pieces(asset):
  return sentencepiece.SentencePieceProcessor(model_file=str(asset))


def test_special_ids_are_gemmas(pieces):
  special = {
    '<pad>': 0,
    '</s>': 1,
    '<s>': 2,
    '<unk>': 3,
    '<start_of_turn>': 105,
    '<end_of_turn>': 106,
  }
  assert {name: pieces.piece_to_id(name) for name in special} == special
  for name, special_id in list(special.items())[4:]:
    assert pieces.encode(f'a{name}\nb').count(special_id) == 1
  for name in list(special)[:4]:  # not encoded from text
    assert special[name] not in pieces.encode(f'a {name} b')


@given(text=st.text(st.characters(codec='utf-8'), max_size=30))
def test_decoding_inverts_encoding(pieces, text):
  ids = pieces.encode(text)
  assert pieces.unk_id() not in ids
  assert pieces.decode(ids) == text


@given(text=st.text('abcdeghlmnorstuw AT.,?\n', max_size=30))
def test_decoding_inverts_encoding_of_letters(pieces, text):
  assert pieces.decode(pieces.encode(text)) == text


def test_a_line_break_is_one_piece_and_merges_with_nothing(pieces):
  newline = pieces.piece_to_id('\n')
  assert newline == 107
  assert pieces.encode('a\n\nb').count(newline) == 2
  others = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
  assert [piece for piece in others if '\n' in piece] == ['\n']


def test_the_words_of_the_phrasings_are_one_piece(pieces):
  words = set(vocabulary._surface_words()) - vocabulary.SLOTS
  assert len(words) > 200
  assert [word for word in words if len(pieces.encode(word)) != 1] == []


def test_the_size_is_as_requested_and_pieces_are_unique(pieces):
  size = pieces.get_piece_size()
  assert size == 2304
  texts = {pieces.id_to_piece(i) for i in range(size)}
  assert len(texts) == size


def test_training_reproduces_the_shipped_bytes(asset, capfd):
  if sentencepiece.__version__ != PINNED:
    pytest.skip(f'the bytes are those of sentencepiece {PINNED}')
  made = [vocabulary.train(size=2304, seed='vocabulary') for _ in range(2)]
  assert made[0] == made[1]
  assert (
    hashlib.sha256(made[0]).hexdigest()
    == hashlib.sha256(asset.read_bytes()).hexdigest()
  )
  assert capfd.readouterr() == ('', '')


def test_another_seed_trains_another_tokenizer(asset, tmp_path):
  path = tmp_path / 'other.model'
  path.write_bytes(vocabulary.train(size=2000, seed='other'))
  assert tokens.load(path).size == 2000
  assert path.read_bytes() != asset.read_bytes()
