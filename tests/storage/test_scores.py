"""Scores are read back equal, to the last bit."""

import dataclasses
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icl_gen.storage import scores
from icl_gen.types import ChoiceScore, Question, Score

CHOICE = ChoiceScore(
  logp=-0.1, tokens=2, characters=5, bytes=6, logp_unconditional=-1e-300
)
SCORE = Score(
  question_id='q',
  kind='reversal',
  stratum='',
  cluster='[["glon", "is", "é"]]',
  answers=(0, 2),
  choices=(CHOICE, dataclasses.replace(CHOICE, logp=-math.pi), CHOICE),
)

numbers = st.floats(allow_nan=False)
counts = st.integers(0, 2**40)
choice_scores = st.builds(
  ChoiceScore,
  logp=numbers,
  tokens=counts,
  characters=counts,
  bytes=counts,
  logp_unconditional=numbers,
)
some_scores = st.lists(
  st.builds(
    Score,
    question_id=st.text(max_size=5),
    kind=st.text(max_size=5),
    stratum=st.text(max_size=5),
    cluster=st.text(max_size=5),
    answers=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    choices=st.lists(choice_scores, max_size=4).map(tuple),
    written=st.none() | st.text(max_size=5),
    exact=st.none() | st.booleans(),
  ),
  max_size=5,
  unique_by=lambda score: score.question_id,
).map(tuple)


def is_finite(given_scores):
  return all(
    math.isfinite(choice.logp) and math.isfinite(choice.logp_unconditional)
    for score in given_scores
    for choice in score.choices
  )


@settings(max_examples=40, deadline=None)
@given(given_scores=some_scores)
def test_read_is_what_was_written(tmp_path_factory, given_scores):
  path = tmp_path_factory.mktemp('scores') / 'scores.parquet'
  metadata = {'model': 'nano é', 'sizes': [1, {'a': None}], 'lr': 1e-3}
  scores.write_scores(path, given_scores, metadata=metadata)
  back = scores.read_scores(path)
  assert back == given_scores
  # == holds for 0.0 and -0.0; repr does not.
  assert repr(back) == repr(given_scores)
  stored = pq.read_schema(path).metadata[scores.METADATA_KEY]
  assert json.loads(stored) == metadata
  assert [p.name for p in path.parent.iterdir()] == ['scores.parquet']


@settings(max_examples=20, deadline=None)
@given(given_scores=some_scores.filter(is_finite))
def test_parts_are_read_back_as_they_were_appended(
  tmp_path_factory, given_scores
):
  path = tmp_path_factory.mktemp('scores') / 'scored.jsonl'
  assert scores.read_parts(path, of='x') == ()
  for part in (given_scores[:2], given_scores[2:]):
    scores.append_part(path, part, of='x')
  assert repr(scores.read_parts(path, of='x')) == repr(given_scores)
  assert scores.read_parts(path, of='other settings') == ()
  with open(path, 'rb+') as file:  # as if killed while appending the second
    file.truncate(path.stat().st_size - 1)
  assert repr(scores.read_parts(path, of='x')) == repr(given_scores[:2])


QUESTIONS = tuple(
  Question(id=f'q{i}', prompt='', choices=('a', 'b'), answers=(0,), kind='k')
  for i in range(4)
)


def score_of(question):
  return Score(
    question_id=question.id,
    kind=question.kind,
    stratum=question.stratum,
    cluster=question.cluster,
    answers=question.answers,
    choices=(CHOICE, CHOICE),
  )


def test_parts_answer_the_questions_they_name(tmp_path):
  path = tmp_path / 'scored.jsonl'
  given_scores = tuple(score_of(question) for question in QUESTIONS)
  for score in given_scores:
    scores.append_part(path, [score], of='x')
  a, b, c, d = path.read_text().splitlines()
  changed = b.replace('-0.1', '-0.2')
  assert changed != b
  for lines, kept in (
    ([a, b, c, d], 4),
    ([a, a, b, c, d], 4),
    ([d, b, a, c], 4),
    ([a, c, d], 1),
    ([a, changed, c, d], 1),
    ([a, b, '{}', d], 2),
    ([a, b, '{"scores": []}', d], 2),
  ):
    path.write_text('\n'.join(lines) + '\n')
    found = scores.of_first(scores.read_parts(path, of='x'), QUESTIONS)
    assert found == given_scores[:kept]


@pytest.mark.parametrize(
  'changed',
  [{'answers': (1,)}, {'kind': 'l'}, {'choices': ('a', 'b', 'c')}, {'id': 'q'}],
)
def test_a_score_of_another_question_is_not_used(changed):
  given_scores = [score_of(question) for question in QUESTIONS]
  other = dataclasses.replace(QUESTIONS[1], **changed)
  found = scores.of_first(given_scores, [QUESTIONS[0], other, QUESTIONS[2]])
  assert found == (given_scores[0],)


def test_float32_is_read_back_equal(tmp_path):
  logp = np.float32(-12.345678)
  score = dataclasses.replace(
    SCORE, choices=(dataclasses.replace(CHOICE, logp=logp),)
  )
  scores.write_scores(tmp_path / 'x', [score], metadata={})
  assert scores.read_scores(tmp_path / 'x')[0].choices[0].logp == logp


def test_same_scores_same_bytes(tmp_path):
  for name in 'ab':
    scores.write_scores(tmp_path / name, [SCORE], metadata={'seed': 1})
  assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes()


@pytest.mark.parametrize('field', ['logp', 'logp_unconditional'])
def test_nan_is_an_error_that_names_the_question(tmp_path, field):
  broken = dataclasses.replace(CHOICE, **{field: math.nan})
  score = dataclasses.replace(SCORE, choices=(CHOICE, broken))
  with pytest.raises(ValueError, match="'q', choice 1.*NaN"):
    scores.write_scores(tmp_path / 'x', [score], metadata={})
  assert not (tmp_path / 'x').exists()


def test_a_question_with_two_scores_is_an_error(tmp_path):
  with pytest.raises(ValueError, match="'q' occurs twice"):
    scores.write_scores(tmp_path / 'x', [SCORE, SCORE], metadata={})


def test_errors_name_a_missing_or_foreign_file(tmp_path):
  path = tmp_path / 'x.parquet'
  with pytest.raises(ValueError, match=r'x\.parquet is missing'):
    scores.read_scores(path)
  path.write_text('question,logp\n')
  with pytest.raises(ValueError, match=r'x\.parquet .* not a parquet file'):
    scores.read_scores(path)
  pq.write_table(pa.table({'question_id': ['q']}), path)
  with pytest.raises(ValueError, match=r'x\.parquet does not hold scores'):
    scores.read_scores(path)


def test_a_truncated_or_changed_file_is_an_error(tmp_path):
  path = tmp_path / 'x.parquet'
  scores.write_scores(path, [SCORE], metadata={})
  whole = path.read_bytes()
  path.write_bytes(whole[: len(whole) // 2])
  with pytest.raises(ValueError, match=r'x\.parquet'):
    scores.read_scores(path)
  place = whole.index(np.float64(-math.pi).tobytes())
  path.write_bytes(whole[:place] + b'\0' + whole[place + 1 :])
  with pytest.raises(ValueError, match=r'x\.parquet is damaged'):
    scores.read_scores(path)


@pytest.mark.parametrize('every', [pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_flipped_bit_is_one_line_that_says_what_to_do(tmp_path, every):
  path = tmp_path / 'x.parquet'
  given_scores = [score_of(question) for question in QUESTIONS]
  scores.write_scores(path, given_scores, metadata={'model': 'nano'})
  whole = path.read_bytes()
  for place in range(0, len(whole), every):
    damaged = bytearray(whole)
    damaged[place] ^= 1 << place % 8
    path.write_bytes(damaged)
    with pytest.raises(ValueError) as caught:
      scores.read_scores(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and '\n' not in message
    assert 'delete it' in message and 'icl_gen.evaluate' in message


def test_scores_that_other_code_wrote_are_an_error(tmp_path):
  """They have no digest, or that of other scores."""
  path = tmp_path / 'x.parquet'
  scores.write_scores(path, [SCORE], metadata={})
  file = pq.ParquetFile(path)
  (row,) = file.read().to_pylist()
  row['logp'][0] = -0.2
  table = pa.Table.from_pylist([row], schema=file.schema_arrow)
  pq.write_table(table, path)
  with pytest.raises(ValueError, match='has no digest'):
    scores.read_scores(path)
  copied = file.metadata.metadata[scores.DIGEST_KEY]
  with pq.ParquetWriter(path, table.schema) as writer:
    writer.write_table(table)
    writer.add_key_value_metadata({scores.DIGEST_KEY: copied})
  with pytest.raises(ValueError, match='is damaged'):
    scores.read_scores(path)
