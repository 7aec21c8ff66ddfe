"""The exported tokenizer has the pieces, the kinds and the rules of ours.

tests/model/test_transformers.py compares ids, in another environment.
"""

import io
import json
import pathlib

import jinja2
import pytest
import sentencepiece

from icl_gen import assets
from icl_gen.exports import hugging_face_tokenizer
from icl_gen.text import prompts, tokens


def trained(**options):
  """A small BPE tokenizer like Gemma's."""
  model = io.BytesIO()
  sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(['glon troff femp glon trofftroff  glon'] * 9),
    model_writer=model,
    minloglevel=9,
    pad_id=0,
    eos_id=1,
    bos_id=2,
    unk_id=3,
    hard_vocab_limit=False,
    byte_fallback=True,
    **{
      'model_type': 'bpe',
      'vocab_size': 300,
      'normalization_rule_name': 'identity',
      'remove_extra_whitespaces': False,
      'add_dummy_prefix': False,
      'user_defined_symbols': ['<start_of_turn>', '\n\n', '▁▁'],
    }
    | options,
  )
  return model.getvalue()


def written(folder, model):
  hugging_face_tokenizer.write(folder, model)
  return json.loads((folder / 'tokenizer.json').read_text())


@pytest.fixture
def nano():
  return pathlib.Path(assets.path('tokenizer.model')).read_bytes()


def test_every_piece_keeps_its_id(tmp_path, nano):
  for model in (nano, trained()):
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    names = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
    vocabulary = written(tmp_path, model)['model']['vocab']
    found = (
      sorted(vocabulary, key=vocabulary.get)
      if isinstance(vocabulary, dict)
      else [name for name, _ in vocabulary]
    )
    assert found == names
    assert (tmp_path / 'tokenizer.model').read_bytes() == model


def test_merges_make_the_pieces_of_a_bpe_model(tmp_path):
  """A plain reading of the merges gives SentencePiece's ids."""
  model = trained()
  pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
  merges = written(tmp_path, model)['model']['merges']
  rank = {tuple(pair): number for number, pair in enumerate(merges)}

  def encode(text):
    parts = list(text.replace(' ', '▁'))
    while True:
      pairs = [
        (rank[pair], at)
        for at, pair in enumerate(zip(parts, parts[1:], strict=False))
        if pair in rank
      ]
      if not pairs:
        return parts
      _, at = min(pairs)
      parts[at : at + 2] = [parts[at] + parts[at + 1]]

  for text in ('glon troff', 'trofftroff femp', 'femglontr', ' glon'):
    assert encode(text) == pieces.encode(text, out_type=str)


def test_special_pieces_are_marked(tmp_path, nano):
  added = {
    one['content']: one for one in written(tmp_path, trained())['added_tokens']
  }
  assert added.keys() == {
    '<pad>',
    '</s>',
    '<s>',
    '<unk>',
    '<start_of_turn>',
    '\n\n',
    '▁▁',
  }
  assert added['<s>']['special'] and not added['<start_of_turn>']['special']
  # Spaces are looked for once they have been replaced.
  assert added['▁▁']['normalized'] and not added['\n\n']['normalized']
  settings = json.loads((tmp_path / 'tokenizer_config.json').read_text())
  assert settings['bos_token'] == '<s>'
  assert len(written(tmp_path, nano)['added_tokens']) == 4


def chat(folder, messages, **options):
  """The text of a chat, rendered as transformers renders it."""
  settings = json.loads((folder / 'tokenizer_config.json').read_text())

  def raise_exception(message):
    raise jinja2.TemplateError(message)

  return (
    jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    .from_string(settings['chat_template'])
    .render(
      messages=messages,
      bos_token=settings['bos_token'],
      raise_exception=raise_exception,
      **options,
    )
  )


def test_a_chat_has_the_ids_of_our_turns(tmp_path):
  turns = ['<start_of_turn>', '<end_of_turn>']
  model = trained(user_defined_symbols=turns)
  written(tmp_path, model)
  text = chat(
    tmp_path,
    [{'role': 'user', 'content': ' glon troff\n'}],
    add_generation_prompt=True,
  )
  assert text.startswith('<s>')
  pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
  ours = tokens.Tokenizer(model).encode(
    prompts.join(prompts.USER, 'glon troff', prompts.MODEL)
  )
  assert pieces.encode(text.removeprefix('<s>')) == ours
  user, reply = ({'role': r, 'content': 'femp'} for r in ('user', 'assistant'))
  assert chat(tmp_path, [user, reply]).endswith(
    '<start_of_turn>model\nfemp<end_of_turn>\n'
  )
  for wrong in ([reply], [user, user], [{'role': 'system', 'content': ''}]):
    with pytest.raises(jinja2.TemplateError, match='must alternate'):
      chat(tmp_path, wrong)


def test_there_is_no_chat_without_turns(tmp_path, nano):
  written(tmp_path, nano)
  settings = json.loads((tmp_path / 'tokenizer_config.json').read_text())
  assert 'chat_template' not in settings


@pytest.mark.parametrize(
  ('options', 'message'),
  [
    ({'normalization_rule_name': 'nmt_nfkc'}, 'changes characters'),
    ({'remove_extra_whitespaces': True}, 'removes spaces'),
    ({'model_type': 'char'}, 'neither a unigram nor a BPE'),
  ],
)
def test_other_tokenizers_are_refused(tmp_path, options, message):
  with pytest.raises(ValueError, match=message):
    hugging_face_tokenizer.write(tmp_path, trained(**options))
