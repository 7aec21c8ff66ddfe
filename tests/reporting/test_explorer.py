"""The explorer's data: complete, equal to the tables, and harmless."""

import csv
import dataclasses
import io
import json
import re

import pytest

from icl_gen.reporting import covering, explorer, statistics, sums
from icl_gen.reporting.write import write_report
from icl_gen.storage import checksums
from tests.reporting import explored

CELLS, RECORDS, CORPORA = explored.study()


def build(
  cells=CELLS,
  records=RECORDS,
  corpora=CORPORA,
  derivations=explored.DERIVED,
  **more,
):
  return explorer.build(
    cells, records, corpora, derivations, normalisation='sum', **more
  )


def pieces(made):
  """World -> data, of an explorer whose data is embedded."""
  return {p['world']: p['data'] for p in json.loads(made.index)['pieces']}


@pytest.fixture(scope='module')
def data():
  return pieces(build())


def test_every_answer_is_there(data):
  for cell in CELLS:
    (seed,) = (s for s in data[cell.world]['seeds'] if s['seed'] == cell.seed)
    found = {q['id']: q for q in seed['questions']}
    assert len(cell.scores) == len(seed['questions'])
    for score in cell.scores:
      answer = found[score.question_id]['answered'][cell.condition]
      expected = [choice.logp for choice in score.choices]
      assert answer['logp'] == pytest.approx(expected, abs=5e-4)
      assert answer['chosen'] == statistics.choose(score, 'sum')
      assert answer.get('written') == score.written


def test_documents_are_those_that_state_a_premise(data):
  for seed in data['reversal']['seeds']:
    corpus = CORPORA['reversal', seed['seed']]
    for shown, question in zip(
      seed['questions'], corpus.questions, strict=True
    ):
      stating = [
        d['text']
        for d in seed['documents']
        if set(d['facts']) & set(shown['premises'])
      ]
      assert stating == [
        d.text for d in corpus.documents if set(d.facts) & {*question.premises}
      ]
    assert len(seed['documents']) == len(corpus.documents) - 1


def test_inferences_name_the_documents_that_they_come_from(data):
  for seed in data['reversal']['seeds']:
    corpus = CORPORA['reversal', seed['seed']]
    (record,) = (r for r in RECORDS if r.seed == seed['seed'])
    text_of = {d.id: d.text for d in corpus.documents}
    assert len(seed['generated']) == len(record.documents)
    for shown, made in zip(seed['generated'], record.documents, strict=True):
      assert shown['text'] == made.text
      assert [seed['documents'][n]['text'] for n in shown['parents']] == [
        text_of[parent] for parent in made.origin.parents
      ]


def test_inferences_about_what_nobody_asked_are_left_out(data):
  (record, *_) = RECORDS
  parents = dataclasses.replace(record.documents[0].origin, parents=('alone',))
  away = dataclasses.replace(record.documents[0], facts=(), origin=parents)
  documents = (away, *record.documents[1:])
  changed = dataclasses.replace(record, documents=documents)
  seeds = pieces(build(records=[changed]))['reversal']['seeds']
  assert len(seeds[0]['generated']) == len(record.documents) - 1


def test_what_could_not_be_read_may_cover_a_question():
  (record, *_) = RECORDS
  target = record.questions[5].target
  last = record.documents[-1]
  unread = dataclasses.replace(
    last,
    text=f'{target.object} and {target.subject}. This is so.',
    facts=(),
    origin=dataclasses.replace(last.origin, parents=('alone',)),
  )
  documents = (*record.documents[:5], *record.documents[6:-1], unread)
  changed = dataclasses.replace(record, documents=documents)
  shown = pieces(build(records=[changed]))['reversal']['seeds'][0]
  question = shown['questions'][5]
  assert (question['coverage'], question['covering']) == ('unclear', [])
  (number,) = question['mentioning']
  assert shown['generated'][number]['text'] == unread.text
  others = {q['coverage'] for q in shown['questions'] if 'mentioning' not in q}
  assert others == {'covered', 'uncovered'}


def test_what_covers_a_question_is_looked_up_once(monkeypatch):
  asked = []

  class Counted(covering.Covering):
    def __init__(self, documents):
      asked.append(len(documents))
      super().__init__(documents)

    def asserting(self, targets):
      asked.append(frozenset(targets))
      return super().asserting(targets)

  monkeypatch.setattr(explorer, 'Covering', Counted)
  (record, *_) = RECORDS
  cells = [c for c in CELLS if (c.world, c.seed) == (record.world, record.seed)]
  build(cells=cells, records=[record])
  questions = [record.targets(question) for question in record.questions]
  assert asked == [len(record.documents), *questions]


def test_without_a_record_or_a_target_coverage_is_unknown(data):
  without = pieces(build(records=RECORDS[:1]))['reversal']['seeds'][1]
  assert 'covering' not in without['questions'][0]
  assert 'covering' in data['reversal']['seeds'][1]['questions'][0]
  assert 'covering' not in data['custom']['seeds'][0]['questions'][0]


def test_derivations_are_those_of_the_question_and_seed(data):
  first, second = data['reversal']['seeds']
  lines = explored.DERIVED['reversal', 1]['reversal-39']
  (question,) = (q for q in second['questions'] if q['id'] == 'reversal-39')
  assert tuple(question['derivation']) == lines
  assert sum('derivation' in q for q in second['questions']) == 1
  assert not [q for q in first['questions'] if 'derivation' in q]


def test_recalled_texts_are_next_to_the_answer_that_followed_them(data):
  recalling = explored.recalling()
  made = build(recalling=recalling)
  column = 'icl+recalled_ft'
  conditions = json.loads(made.index)['conditions']
  assert list(conditions)[-1] == column
  assert conditions[column] == 'in context, recalled_ft'
  found = pieces(made)
  for cell, seed in zip(recalling, found['reversal']['seeds'], strict=True):
    for question in seed['questions']:
      answers = question['answered']
      assert list(answers) == [*explored.CONDITIONS, column]
      assert [
        (one['text'], one['verdict'], one.get('hops'))
        for one in answers[column].pop('recalled')
      ] == [
        (one.text, verdict, 1 if verdict == 'entailed' else None)
        for one, verdict in zip(
          cell.recalled[question['id']],
          ('entailed', 'contradicted'),
          strict=question['id'] != 'reversal-2',
        )
      ]
      assert answers.pop(column) == answers['icl']
  # All else is as it is without them.
  assert found == data


def test_a_shown_cell_may_recall_itself():
  recalled = explored.recalling()[0].recalled
  cell = dataclasses.replace(CELLS[0], recalled=recalled)
  assert (cell.condition, cell.run) == ('icl', '')
  (seed,) = pieces(build(cells=[cell]))['reversal']['seeds']
  texts = seed['questions'][1]['answered']['icl']['recalled']
  assert [one['verdict'] for one in texts] == ['entailed', 'contradicted']


def test_texts_are_equal_and_cannot_leave_the_script():
  made = build(recalling=explored.recalling())
  assert made.index.isascii()
  assert not set(made.index) & {'<', '>', '&', '\u2028'}
  question = pieces(made)['reversal']['seeds'][0]['questions'][0]
  assert question['prompt'].endswith(explored.POISON)


def test_a_log_probability_may_be_infinite():
  cell = CELLS[0]
  first = cell.scores[0]
  worst = dataclasses.replace(first.choices[0], logp=-float('inf'))
  scores = (
    dataclasses.replace(first, choices=(worst, *first.choices[1:])),
    *cell.scores[1:],
  )
  made = build(cells=[dataclasses.replace(cell, scores=scores)])
  (seed,) = pieces(made)[cell.world]['seeds']
  assert seed['questions'][0]['answered'][cell.condition]['logp'][0] is None


def test_cells_without_a_corpus_are_named():
  corpora = {of: c for of, c in CORPORA.items() if of != ('reversal', 1)}
  made = build(corpora=corpora)
  assert made.absent == ('reversal, nano: no corpus for seed 1.',)
  assert [s['seed'] for s in pieces(made)['reversal']['seeds']] == [0]
  assert build(corpora={}) is None


def test_answers_to_other_questions_are_refused():
  corpora = CORPORA | {('reversal', 0): CORPORA['custom', 0]}
  with pytest.raises(
    ValueError, match='cell reversal/icl/nano/0 answered ques'
  ):
    build(corpora=corpora)


def test_pieces_have_the_embedded_data(monkeypatch, data):
  monkeypatch.setattr(explorer, 'EMBEDDED', 1000)
  made = build()
  assert set(made.files) == {
    'explorer/custom-nano.js',
    'explorer/reversal-nano.js',
  }
  for piece in json.loads(made.index)['pieces']:
    text = made.files[piece['file']].decode('ascii')
    assert 'data' not in piece
    call = re.fullmatch(r'explorerPiece\((".*?"), (.*)\);\n', text)
    assert json.loads(call[1]) == piece['name']
    assert json.loads(call[2]) == data[piece['world']]


def report(directory, **changed):
  # One world: figures take most of the time.
  cells = [cell for cell in CELLS if cell.world == 'reversal']
  arguments = {
    'settings': {},
    'commands': [],
    'main_kinds': {'reversal': 'reversal'},
    'corpora': CORPORA,
  }
  write_report(directory, cells, RECORDS, **(arguments | changed))


def test_a_split_report_is_whole_replaced_and_told_from_others(
  monkeypatch, tmp_path
):
  monkeypatch.setattr(explorer, 'EMBEDDED', 1000)
  directory = tmp_path / 'report'
  report(directory)
  piece = directory / 'explorer/reversal-nano.js'
  names = {
    path.relative_to(directory).as_posix()
    for path in directory.rglob('*')
    if path.is_file() and path.name != sums.NAME
  }
  assert 'explorer/reversal-nano.js' in names
  assert checksums.differences(directory / sums.NAME, names) == {}
  page = (directory / 'index.html').read_text('utf-8')
  assert len(re.findall(r"'nonce-(\w+)'.*<script nonce=.\1.>", page, re.S)) == 1
  assert explored.POISON[:20] not in page

  # What is small again is embedded, and the pieces go.
  monkeypatch.setattr(explorer, 'EMBEDDED', 10**9)
  report(directory)
  assert not piece.parent.exists()
  page = (directory / 'index.html').read_text('utf-8')
  assert 'nonce=' not in page
  assert page.count('<script') == 3

  piece.parent.mkdir()
  (piece.parent / 'notes.txt').write_text('mine')
  with pytest.raises(ValueError, match="delete '.*/explorer'"):
    report(directory)

  # The tables count as covered what the explorer shows as covered.
  rows = csv.DictReader(io.StringIO((directory / 'coverage.csv').read_text()))
  told = {
    row['seed']: (float(row['coverage']), float(row['unclear']))
    for row in rows
    if (row['kind'], row['normalisation'], row['augmentation'])
    == ('reversal', 'sum', 'all')
  }
  for seed in pieces(build())['reversal']['seeds']:
    found = [q['coverage'] for q in seed['questions']]
    assert told[str(seed['seed'])] == pytest.approx(
      [found.count(one) / len(found) for one in ('covered', 'unclear')],
      abs=1e-6,
    )


def test_equal_input_in_any_order_gives_equal_data():
  turned = dict(reversed(CORPORA.items()))
  assert build(CELLS[::-1], RECORDS[::-1], turned) == build()
