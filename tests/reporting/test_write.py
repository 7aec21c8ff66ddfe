"""The complete report: contents, atomic replacement and refused input."""

import base64
import csv
import dataclasses
import hashlib
import html
import html.parser
import os
import pathlib
import re
import subprocess
import sys

import pytest

from icl_gen.reporting import claims, sums, write
from icl_gen.reporting.records import Reference
from icl_gen.reporting.write import write_report
from icl_gen.storage import checksums
from tests.reporting import synthetic

CELLS, RECORDS = synthetic.study(
  questions=12, seeds=(0, 1), models=('nano', 'nano_small')
)
FILES = {
  'index.html', 'main.png', 'augmentation.png', 'world_reversal.png',
  'world_syllogism.png', 'world_celebrity.png', 'results.csv', 'results.md',
  'differences.csv', 'augmentation.csv', 'coverage.csv', 'costs.csv',
  'claims.csv',
  'contrasts.csv', 'prices.csv', 'references.csv', 'gains.png', 'SHA256SUMS',
}  # fmt: skip
ROOT = pathlib.Path(__file__).parents[2]


def report(directory, cells=CELLS, records=RECORDS, **changed):
  arguments = {
    'settings': {'train': {'steps': 7}, 'note': '<script>'},
    'commands': ['make study'],
    'main_kinds': synthetic.MAIN_KINDS,
  }
  write_report(directory, cells, records, **(arguments | changed))


def content(directory):
  return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  directory = tmp_path_factory.mktemp('study') / 'report'
  report(directory)
  return directory


class Outline(html.parser.HTMLParser):
  """Tags that are open, titles, images and addresses of a page."""

  def __init__(self):
    super().__init__()
    self.open, self.heads, self.images, self.addresses = [], [], [], []

  def handle_starttag(self, tag, attrs):
    if tag in ('h1', 'h2', 'h3'):
      self.heads.append(int(tag[1]))
    if tag == 'img':
      self.images.append(dict(attrs))
    self.addresses += [v for k, v in attrs if k in ('src', 'href')]
    if tag not in ('meta', 'img', 'link', 'br'):
      self.open.append(tag)

  def handle_endtag(self, tag):
    assert self.open.pop() == tag


def test_files(whole):
  assert set(content(whole)) == FILES
  assert [p.name for p in whole.parent.iterdir()] == ['report']


def test_the_sums_are_those_of_all_other_files(whole):
  names = FILES - {sums.NAME}
  assert checksums.differences(whole / sums.NAME, names) == {}
  lines = (whole / sums.NAME).read_text().splitlines()
  assert len(lines) == len(names)


def test_a_second_write_gives_equal_bytes_in_any_order(whole, tmp_path):
  report(tmp_path / 'report', CELLS[::-1], RECORDS[::-1])
  assert content(tmp_path / 'report') == content(whole)


def test_the_page_shows_every_claim_with_its_verdict(whole):
  page = (whole / 'index.html').read_text('utf-8')
  for claim in claims.CLAIMS:
    assert f'<b>{claim.name}</b>' in page
  with (whole / 'claims.csv').open() as file:
    rows = list(csv.DictReader(file))
  checked = {row['claim'] for row in rows}
  assert {'C4', 'C5'} <= checked < {claim.name for claim in claims.CLAIMS}
  unchecked = len(claims.CLAIMS) - len(checked)
  assert page.count('>not run</span>') == unchecked


def test_without_claims_the_page_says_nothing_of_them(tmp_path):
  cell = synthetic.cell([True, False], world='custom')
  scores = tuple(dataclasses.replace(s, kind='own') for s in cell.scores)
  report(
    tmp_path / 'report',
    [dataclasses.replace(cell, scores=scores)],
    (),
    main_kinds={'custom': 'own'},
  )
  assert 'Claims' not in (tmp_path / 'report/index.html').read_text('utf-8')


def test_references_are_shown_next_to_chance(tmp_path):
  known = Reference(
    'celebrity', 'forward', 'sum', 'mean', 12, 0.25, 0.3141, 'longest', 0.9271
  )
  chosen = {'main_kinds': {'celebrity': 'forward'}}
  (cell, *_) = (cell for cell in CELLS if cell.world == 'celebrity')
  with_them, without = tmp_path / 'with', tmp_path / 'without'
  report(with_them, [cell], [], references=[known], **chosen)
  report(without, [cell], [], **chosen)
  rows = (with_them / 'results.md').read_text('utf-8').splitlines()
  titles, _, *rows = ([c.strip() for c in row.split('|')] for row in rows)
  place = titles.index('chance') + 1
  assert titles[place : place + 2] == ['best constant', 'n-gram reader']
  shown = {row[titles.index('kind')]: row[place : place + 2] for row in rows}
  assert shown['forward'] == ['31.4', '92.7']
  assert shown['reversal'] == ['unknown', 'unknown']
  page = (with_them / 'index.html').read_text('utf-8')
  assert '<td>31.4</td>' in page
  assert 'The best constant answer never reads' in page
  with (with_them / 'references.csv').open() as file:
    (row,) = csv.DictReader(file)
  assert (row['rule'], row['ngram']) == ('longest', '0.927100')
  # Without references, all else is the same.
  assert 'constant' not in (without / 'results.md').read_text('utf-8')
  assert 'constant answer' not in (without / 'index.html').read_text('utf-8')
  for name in ('results.csv', 'differences.csv', 'claims.csv', 'main.png'):
    assert (with_them / name).read_bytes() == (without / name).read_bytes()


def test_page_is_well_formed_and_self_contained(whole):
  outline = Outline()
  page = (whole / 'index.html').read_text('utf-8')
  outline.feed(page)
  assert outline.open == []
  assert outline.heads[0] == 1
  assert outline.heads.count(1) == 1
  steps = zip(outline.heads, outline.heads[1:], strict=False)
  assert all(after - before <= 1 for before, after in steps)
  assert len(outline.images) == 6
  assert all(len(image['alt']) > 40 for image in outline.images)
  assert all(a.startswith('data:image/png;') for a in outline.addresses)
  assert not re.search(r'https?://|@import|url\(', page)


def test_page_may_only_run_its_own_script_and_show_its_own_images(whole):
  page = (whole / 'index.html').read_text('utf-8')
  (policy,) = re.findall(
    '<meta http-equiv="Content-Security-Policy" content="(.*?)">', page, re.S
  )
  rules = dict(rule.split(maxsplit=1) for rule in policy.split(';'))
  (script,) = re.findall('<script>(.*?)</script>', page, re.S)
  digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
  assert 'querySelector' in script
  assert rules == {
    'default-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'img-src': 'data:',
    'style-src': "'unsafe-inline'",
    'script-src': f"'sha256-{digest}'",
  }
  # It governs what comes after it.
  assert page.index('Content-Security-Policy') < page.index('<style>')


def test_page_says_it_in_words(whole):
  page = (whole / 'index.html').read_text('utf-8')
  captions = re.findall('<figcaption>(.*)</figcaption>', page)
  assert len(captions) == 6
  assert not [caption for caption in captions if '.png' in caption]
  assert 'including\nthose that are false' in page
  for told in (
    '<td>fine-tuned + own inferences − fine-tuned</td>',
    '<td>12 × 2 seeds</td>',
    '<dt>celebrity</dt>',
    '<dt>fine-tuned + own inferences</dt>',
    '<dt>true and new</dt>',
    '<dt>local</dt>',
    '<dt>pmi</dt>',
  ):
    assert told in page, told
  # Not used in this study.
  assert '<dt>codebook</dt>' not in page
  assert '<dt>exact</dt>' not in page
  # Conditions go by one name; that of the tables on disk is said once.
  assert page.count('ft_aug') == 1


@pytest.mark.slow
def test_strata_are_left_to_the_files_but_for_the_main_one(tmp_path):
  report(
    tmp_path / 'r',
    [cell for cell in CELLS if cell.world == 'celebrity'],
    [record for record in RECORDS if record.world == 'celebrity'],
    main_kinds={'celebrity': 'reversal:seen'},
  )
  page = (tmp_path / 'r' / 'index.html').read_text('utf-8')
  differences, coverage = page.split('<h2>Paired differences</h2>')[1].split(
    '<h2>Quality of the generated documents</h2>'
  )
  for told in (differences, coverage):
    assert '<td>reversal:seen</td>' in told
    assert '<td>reversal:unseen</td>' not in told
    assert '<td>reversal</td>' in told
  assert 'reversal:unseen' in (tmp_path / 'r' / 'coverage.csv').read_text()


def test_page_tells_the_numbers_and_escapes_texts(whole):
  page = (whole / 'index.html').read_text('utf-8')
  assert '&lt;is&gt; &amp; was' in page
  assert '<is>' not in page
  assert '&lt;script&gt;' in page
  assert page.count('<script>') == 1
  assert '<td>train.steps</td><td>7</td>' in page
  assert 'make study' in page
  assert 'only two seeds were run' in page
  for line in (whole / 'results.md').read_text('utf-8').splitlines()[2:]:
    for value in line.strip('| ').split(' | ')[5:]:
      assert f'<td>{value}</td>' in page


def test_everything_given_is_escaped(tmp_path):
  odd = '<x>&"\''
  cells = [
    dataclasses.replace(
      cell,
      scores=tuple(dataclasses.replace(s, kind=odd) for s in cell.scores),
    )
    for cell in CELLS
    if cell.world == 'reversal'
  ]
  (record, *_) = (record for record in RECORDS if record.world == 'reversal')
  document = record.documents[0]
  origin = dataclasses.replace(document.origin, kind=odd)
  record = dataclasses.replace(
    record,
    documents=(dataclasses.replace(document, text=odd, origin=origin),),
    questions=tuple(
      dataclasses.replace(question, kind=odd) for question in record.questions
    ),
    costs={odd: 1.0},
  )
  report(
    tmp_path / 'r',
    cells,
    [record],
    main_kinds={'reversal': odd},
    settings={odd: odd},
    commands=[odd],
  )
  page = (tmp_path / 'r' / 'index.html').read_text('utf-8')
  assert '<x>' not in page
  assert odd in html.unescape(page)
  outline = Outline()
  outline.feed(page)
  assert outline.open == []


def test_figures_are_png_of_160_dpi_without_a_date(whole):
  for path in whole.glob('*.png'):
    data = path.read_bytes()
    assert data.startswith(b'\x89PNG')
    at = data.index(b'pHYs') + 4
    assert int.from_bytes(data[at : at + 4], 'big') == round(160 / 0.0254)
    assert b'tEXt' not in data


def test_any_subset_is_reported(tmp_path):
  (one,) = (
    cell
    for cell in CELLS
    if (cell.world, cell.condition, cell.model, cell.seed)
    == ('syllogism', 'icl', 'nano', 1)
  )
  report(tmp_path / 'r', [one], [])
  page = (tmp_path / 'r' / 'index.html').read_text('utf-8')
  assert 'condition fine-tuned was not run' in page
  assert 'reversal: no finished cell' in page
  assert 'There are no generated documents' in page
  assert not (tmp_path / 'r' / 'augmentation.png').exists()
  assert (tmp_path / 'r' / 'augmentation.csv').read_text().count('\n') == 1


@pytest.mark.slow
def test_records_without_their_cells_are_reported(tmp_path):
  cells = [cell for cell in CELLS if cell.condition == 'pretrained']
  report(tmp_path / 'r', cells)
  assert (tmp_path / 'r' / 'augmentation.png').exists()


@pytest.mark.parametrize(
  ('changed', 'message'),
  [
    ({'cells': []}, 'no cells to report'),
    ({'normalisation': 'best'}, 'allowed are sum'),
    ({'main_kinds': {'reversal': 'reversal'}}, "has no entry for world 'celeb"),
    (
      {'main_kinds': synthetic.MAIN_KINDS | {'reversal': 'x'}},
      'use one of forward, reversal',
    ),
  ],
)
def test_bad_input_writes_nothing(tmp_path, changed, message):
  with pytest.raises(ValueError, match=message):
    report(tmp_path / 'r', **changed)
  assert list(tmp_path.iterdir()) == []


def test_an_older_report_is_replaced_and_leftovers_go(tmp_path):
  directory = tmp_path / 'report'
  for name in ('report', '.report.partial', '.report.older'):
    (tmp_path / name).mkdir()
    (tmp_path / name / 'world_gone.png').write_bytes(b'old')
  report(directory, CELLS[:1], [])
  assert 'world_gone.png' not in content(directory)
  assert [p.name for p in tmp_path.iterdir()] == ['report']


def test_a_failed_write_keeps_the_older_report(tmp_path, monkeypatch):
  directory = tmp_path / 'report'
  directory.mkdir()
  (directory / 'index.html').write_bytes(b'old')
  written = pathlib.Path.write_bytes

  def full(path, data):
    if path.name == 'index.html':
      raise OSError(28, 'No space left on device')
    return written(path, data)

  monkeypatch.setattr(write.pathlib.Path, 'write_bytes', full)
  with pytest.raises(OSError, match='No space left'):
    report(directory, CELLS[:1], [])
  assert content(directory) == {'index.html': b'old'}
  assert [p.name for p in tmp_path.iterdir()] == ['report']


def test_killed_between_the_renames_the_older_report_comes_back(
  tmp_path, monkeypatch
):
  older = tmp_path / '.report.older'
  older.mkdir()
  (older / 'index.html').write_bytes(b'old')

  def full(path, data):
    raise OSError(28, 'No space left on device')

  monkeypatch.setattr(write.pathlib.Path, 'write_bytes', full)
  with pytest.raises(OSError, match='No space left'):
    report(tmp_path / 'report', CELLS[:1], [])
  assert content(tmp_path / 'report') == {'index.html': b'old'}


def test_what_is_no_report_is_not_replaced(tmp_path):
  (tmp_path / 'thesis.tex').write_text('years of work')
  with pytest.raises(ValueError, match=r"delete '.*/thesis\.tex'"):
    report(tmp_path)
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match='is a file'):
    report(tmp_path / 'file')


def test_jax_is_not_imported_and_another_process_gives_equal_bytes(tmp_path):
  code = (
    'import sys\n'
    'from tests.reporting import synthetic\n'
    'from icl_gen.reporting.write import write_report\n'
    'cells, records = synthetic.study(questions=4, seeds=(0,))\n'
    'write_report(sys.argv[1], cells, records, settings={}, commands=[],\n'
    '  main_kinds=synthetic.MAIN_KINDS)\n'
    'assert not {"jax", "flax", "tensorflow"} & set(sys.modules)\n'
  )
  subprocess.run(
    [sys.executable, '-c', code, str(tmp_path / 'r')],
    check=True,
    cwd=ROOT,
    env=os.environ | {'PYTHONPATH': str(ROOT), 'PYTHONHASHSEED': '1'},
  )
  # Another run, another hash seed: the same bytes.
  cells, records = synthetic.study(questions=4, seeds=(0,))
  report(tmp_path / 'here', cells, records, settings={}, commands=[])
  assert content(tmp_path / 'r') == content(tmp_path / 'here')


def unverified(record):
  """The record as the audit of a user's own documents leaves it."""
  documents = tuple(
    dataclasses.replace(
      document,
      facts=(),
      origin=dataclasses.replace(
        document.origin, details=(('verdict', 'unverified'),)
      ),
    )
    for document in record.documents
  )
  questions = tuple(
    dataclasses.replace(question, target=None) for question in record.questions
  )
  return dataclasses.replace(record, documents=documents, questions=questions)


def test_a_world_of_which_nothing_is_known_is_reported(tmp_path):
  record = unverified(next(r for r in RECORDS if r.world == 'reversal'))
  cells = [
    cell
    for cell in CELLS
    if (cell.world, cell.model, cell.seed)
    == (record.world, record.model, record.seed)
  ]
  report(tmp_path / 'report', cells, [record])
  with open(tmp_path / 'report' / 'augmentation.csv') as file:
    rows = list(csv.DictReader(file))
  assert rows
  for row in rows:
    assert float(row['unverified']) == 1
    assert row['true'] == row['contradicted'] == row['unparsed'] == ''
  page = (tmp_path / 'report' / 'index.html').read_text('utf-8')
  assert 'not verifiable' in page


def test_generated_documents_alone_make_a_report(tmp_path):
  records = [dataclasses.replace(record, questions=()) for record in RECORDS]
  report(tmp_path / 'report', [], records, main_kinds={})
  found = content(tmp_path / 'report')
  assert {'index.html', 'augmentation.csv'} <= set(found)
  outline = Outline()
  outline.feed(found['index.html'].decode())
  assert outline.open == []
