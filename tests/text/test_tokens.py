"""Prompts are prefixes, rows have one BOS, merged pieces are scored."""

import io

import numpy as np
import pytest
import sentencepiece
from hypothesis import assume, given
from hypothesis import strategies as st

from icl_gen.text import prompts, tokens
from icl_gen.types import Corpus, Document

texts = st.text(
  st.sampled_from('abcdefgorsw AT.,:?!-\n') | st.characters(codec='utf-8'),
  max_size=25,
)


@pytest.fixture(scope='module')
def nano(pytestconfig):
  return tokens.load(pytestconfig.rootpath / 'icl_gen/assets/tokenizer.model')


def trained(path, **options):
  """Writes a SentencePiece model of a few letters."""
  model = io.BytesIO()
  sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(['a b ab ba abba baab'] * 20),
    model_writer=model,
    vocab_size=14,
    model_type='bpe',
    hard_vocab_limit=False,
    minloglevel=2,
    **options,
  )
  path.write_bytes(model.getvalue())
  return path


# --- documents --------------------------------------------------------------


@pytest.mark.parametrize(
  ('loss_on', 'picture'),
  [
    ('text', [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    ('completion', [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
  ],
)
def test_a_document_is_encoded_as_in_the_docstring(nano, loss_on, picture):
  document = Document('d', 'Glon Trask is the one.', prompt_length=13)
  ids, weights = tokens.encode_document(nano, document, loss_on=loss_on)
  said = ['Gl', 'on', 'Tr', 'ask', 'is', 'the', 'one', '.']
  assert [nano.decode([i]) for i in ids] == ['', *said, '']
  assert (ids[0], ids[-1]) == (nano.bos_id, nano.eos_id)
  assert weights.tolist() == picture
  assert (ids.dtype, weights.dtype) == (np.int32, np.float32)


@given(texts, st.integers(0, 25))
def test_loss_on_the_completion_excludes_exactly_the_prompt(
  nano, text, prompt_length
):
  assume(text)
  document = Document('d', text, prompt_length=min(prompt_length, len(text)))
  ids, weights = tokens.encode_document(nano, document, loss_on='completion')
  whole, everything = tokens.encode_document(nano, document, loss_on='text')
  assert ids.tolist() == whole.tolist()
  assert everything.tolist() == [0] + [1] * (len(ids) - 1)
  given_ids = ids[weights == 0]
  assert sorted(weights) == weights.tolist()
  assert (
    document.text[: document.prompt_length]
    .encode()
    .startswith(nano.decode(given_ids).removesuffix('\ufffd').encode())
  )


def test_without_a_prompt_the_whole_text_is_learned(nano):
  document = Document('d', 'Glon is.')
  rows = [
    tokens.encode_document(nano, document, loss_on=on)[1].tolist()
    for on in ('text', 'completion')
  ]
  assert rows[0] == rows[1]


def test_a_text_that_is_all_prompt_has_no_weight(nano):
  """Not even on EOS, because the sentence continues in another document."""
  document = Document('d', 'Glon is.', prompt_length=8)
  _, weights = tokens.encode_document(nano, document, loss_on='completion')
  assert not weights.any()
  _, weights = tokens.encode_document(nano, document, loss_on='text')
  assert weights.tolist() == [0] + [1] * (len(weights) - 1)


def test_empty_documents_and_unknown_losses_are_errors(nano):
  with pytest.raises(ValueError, match="document 'd7' is empty"):
    tokens.encode_document(nano, Document('d7', ''), loss_on='text')
  with pytest.raises(ValueError, match="'answer'; allowed are 'text'"):
    tokens.encode_document(nano, Document('d', 'a'), loss_on='answer')


# --- choices ----------------------------------------------------------------


def test_a_choice_is_encoded_as_in_the_docstring(nano):
  row = tokens.encode_choice(
    nano, 'femp are', ' less dangerous', after_context=False
  )
  pieces = [nano.decode([i]) for i in row.ids]
  assert pieces == ['', 'f', 'emp', 'are', 'less', 'dangerous']
  assert row.ids[0] == nano.bos_id
  assert row.given == 4


@pytest.mark.parametrize('after_context', [False, True])
@given(prompt=texts, choice=texts)
def test_prompt_ids_are_a_prefix(nano, prompt, choice, after_context):
  assume(choice)
  row = tokens.encode_choice(nano, prompt, choice, after_context=after_context)
  encode = nano.encode_inner if after_context else nano.encode
  first = [] if after_context else [nano.bos_id]
  assert row.ids.tolist() == first + encode(prompt + choice)
  assert row.ids.tolist().count(nano.bos_id) == len(first)
  alone = first + encode(prompt)
  assert row.ids[: row.given].tolist() == alone[: row.given]
  assert row.given < len(row.ids)
  # All ids that the prompt shares with the whole are given.
  assert row.given == len(alone) or row.ids[row.given] != alone[row.given]


def test_the_boundary_moves_back_where_pieces_merge(nano):
  row = tokens.encode_choice(
    nano, 'femp are less dan', 'gerous than', after_context=False
  )
  assert nano.decode(row.ids[: row.given]) == 'femp are less'
  assert nano.decode(row.ids[row.given :]) == 'dangerous than'
  apart = tokens.encode_choice(
    nano, 'femp are less', ' dangerous than', after_context=False
  )
  assert (row.ids.tolist(), row.given) == (apart.ids.tolist(), apart.given)


def test_all_choices_of_a_question_are_scored_on_the_same_text(nano):
  """A space that merges with one choice is scored with all of them."""
  prompt, choices = 'The code of the river is ', ('gold', '42')
  alone = [
    tokens.encode_choice(nano, prompt, choice, after_context=False)
    for choice in choices
  ]
  scored = [nano.decode(row.ids[row.given :]) for row in alone]
  assert alone[0].given < alone[1].given, scored
  together = tokens.encode_choices(nano, prompt, choices, after_context=False)
  assert [row.given for row in together] == [alone[0].given] * 2
  for row, same in zip(together, alone, strict=True):
    assert row.ids.tolist() == same.ids.tolist()


@pytest.mark.parametrize('after_context', [False, True])
@given(prompt=texts, choices=st.lists(texts, min_size=1, max_size=4))
def test_choices_share_one_prompt(nano, prompt, choices, after_context):
  assume(all(choices))
  rows = tokens.encode_choices(
    nano, prompt, choices, after_context=after_context
  )
  assert len({tuple(row.ids[: row.given]) for row in rows}) == 1
  boundaries = [
    tokens.encode_choice(nano, prompt, choice, after_context=after_context)
    for choice in choices
  ]
  assert rows[0].given == min(row.given for row in boundaries)


@pytest.mark.parametrize('after_context', [False, True])
@pytest.mark.parametrize('prompt', ['', 'femp are'])
def test_a_choice_without_tokens_cannot_be_scored(nano, prompt, after_context):
  with pytest.raises(ValueError, match="choice '' adds no token"):
    tokens.encode_choice(nano, prompt, '', after_context=after_context)


# --- what follows a line break ----------------------------------------------


@given(texts)
def test_inner_ids_are_the_tail_of_the_whole(nano, text):
  before = 'The glon are big.\n'
  whole = nano.encode(before + text)
  assert whole == nano.encode(before) + nano.encode_inner(text)


def test_bullets_after_a_context_are_encoded_as_in_one_text(nano):
  lines = [prompts.bullet(word) for word in ('glon are.', 'Trask', '')]
  whole = nano.encode(''.join(line + '\n' for line in lines))
  parts = nano.encode(lines[0] + '\n')
  for line in lines[1:]:
    parts += nano.encode_inner(line + '\n')
  assert whole == parts


def test_a_line_break_that_merges_is_an_error(tmp_path):
  path = trained(
    tmp_path / 'merging.model',
    user_defined_symbols=['\n', '\n\n'],
    pad_id=0,
    eos_id=1,
    bos_id=2,
    unk_id=3,
  )
  tokenizer = tokens.load(path)
  assert tokenizer.encode_inner('ab') == tokenizer.encode('\nab')[-1:]
  with pytest.raises(ValueError, match='merges a line break with'):
    tokenizer.encode_inner('\nab')


# --- loading ----------------------------------------------------------------


def test_only_tokenizers_of_the_gemma_family_load(tmp_path, capfd):
  with pytest.raises(ValueError, match=r'no tokenizer at .*missing\.model'):
    tokens.load(tmp_path / 'missing.model')
  with pytest.raises(ValueError, match='no tokenizer at'):
    tokens.load(tmp_path)
  (tmp_path / 'junk').write_bytes(b'junk' * 100)
  with pytest.raises(ValueError, match='junk.* is not a SentencePiece model'):
    tokens.load(tmp_path / 'junk')
  (tmp_path / 'empty').write_bytes(b'')
  with pytest.raises(ValueError, match='empty.* is not a SentencePiece model'):
    tokens.load(tmp_path / 'empty')
  # The library would write there what it thinks of it.
  assert capfd.readouterr().err == ''
  foreign = trained(tmp_path / 'foreign.model')
  with pytest.raises(ValueError, match=r'= \(-1, 2, 1, 0\); Gemma models'):
    tokens.load(foreign)


def test_special_ids_are_gemmas_and_are_not_decoded(nano):
  assert (nano.pad_id, nano.eos_id, nano.bos_id) == (0, 1, 2)
  ids = [nano.bos_id, *nano.encode('glon are.'), nano.eos_id, nano.pad_id]
  assert nano.decode(np.asarray(ids, np.int32)) == 'glon are.'
  assert nano.decode([nano.newline_id]) == '\n'


# --- counting a corpus ------------------------------------------------------


def test_inflected_words_are_counted_too(nano):
  texts = 'clests smulked more than a clest.'
  found = tokens.report(nano, Corpus('c', (Document('0', texts),), ()))
  assert sum(found['words'].values()) == 3


def test_words_are_counted_inside_the_text(nano):
  one, other, outside = 'clest', 'smulk', 'animal'
  texts = (f'all {one} are {other}.', f'No {other.title()} is an {outside}.')
  corpus = Corpus(
    'c', tuple(Document(str(i), text) for i, text in enumerate(texts)), ()
  )
  lengths = [len(nano.encode(text)) for text in texts]
  found = tokens.report(nano, corpus)
  assert found['pieces'] == nano.size
  assert found['documents'] == sum(lengths)
  assert found['longest'] == max(lengths)
  # 'clest', 'smulk' and 'Smulk'; each is an onset and a rime.
  assert found['words'] == {'2': 3}
  nothing = tokens.report(nano, Corpus('c', (), ()))
  assert nothing == found | {'documents': 0, 'longest': 0, 'words': {}}
