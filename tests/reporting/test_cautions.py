"""The page says what results cannot bear, where the headline would be."""

import dataclasses

import pytest

from icl_gen.reporting import cautions
from icl_gen.reporting.answers import Result
from icl_gen.reporting.assembly import assemble
from icl_gen.reporting.page import page, results_markdown
from icl_gen.runs import models
from tests.reporting import synthetic

CANNOT = 'This model cannot do this in context, so its inferences are not'


def row(condition, accuracy, low, *, chance=0.25):
  return Result(
    *('custom', condition, 'nano', '', 'reversal', 'sum', 'mean'),
    *(40, accuracy, low, 1.0, chance),
  )


@pytest.mark.parametrize(
  ('pretrained', 'icl', 'low', 'said'),
  [
    (0.25, 0.25, 0.1, f'{CANNOT} expected to help (in context 25.0'),
    (0.40, 0.30, 0.28, 'chance 25.0'),
    (0.40, 0.30, 0.28, 'pretrained 40.0'),
    (0.25, 0.35, 0.2, 'It is not certain that this model can do this'),
    (0.40, 0.60, 0.3, 'reaches pretrained 40.0'),
    (0.25, 0.60, 0.5, ''),
  ],
)
def test_in_context_is_compared_with_what_is_known_without(
  pretrained, icl, low, said
):
  rows = [row('pretrained', pretrained, 0.1), row('icl', icl, low)]
  found = cautions.in_context(rows)
  if said == 'chance 25.0':  # The higher of the two is the reference.
    assert said not in found
  else:
    assert said in found
    assert bool(said) == bool(found)


def test_without_the_condition_nothing_is_said():
  assert cautions.in_context([row('ft', 0.1, 0.0)]) == ''


def of_world(world, right, model='nano'):
  """Cells of one world: in context, `right` says what was answered right."""
  asked = [True, False] * 20
  return [
    synthetic.cell(done, world=world, condition=condition, model=model)
    for condition, done in (('pretrained', asked), ('icl', right))
  ]


@pytest.mark.parametrize('can', [True, False])
def test_the_caution_comes_before_the_figures(can):
  right = [True] * 40 if can else [True, False, False, False] * 10
  report = assemble(
    of_world('reversal', right),
    (),
    main_kinds={'reversal': 'reversal'},
    normalisation='sum',
  )
  (finding,) = report.findings
  assert finding.startswith(CANNOT) == (not can)
  assert report.cautions == ()


@pytest.mark.parametrize(
  ('world', 'model', 'said'),
  [
    ('custom', 'nano', True),
    ('custom', 'nano_small', True),
    ('custom', 'gemma3_1b', False),
    ('reversal', 'nano', False),
  ],
)
def test_nano_is_no_model_of_english(world, model, said):
  report = assemble(
    of_world(world, [True] * 40, model),
    (),
    main_kinds={world: 'reversal'},
    normalisation='sum',
  )
  assert bool(report.cautions) == said
  text = page(report, settings={}, commands=())
  assert ('knows few English words' in text) == said


def test_all_kinds_have_a_panel_and_a_finding():
  cells, records = synthetic.study(seeds=(0,), questions=8)
  of_one = [cell for cell in cells if cell.world == 'celebrity']
  drawn = {}
  for main in ('', 'forward'):
    drawn[main] = assemble(
      of_one,
      [record for record in records if record.world == 'celebrity'],
      main_kinds={'celebrity': main},
      normalisation='sum',
    )
  kinds = [
    finding.partition('(')[2].split()[0] for finding in drawn[''].findings
  ]
  assert kinds == ['forward', 'reversal']
  assert len(drawn['forward'].findings) == 1
  assert drawn[''].figures['main.png'] != drawn['forward'].figures['main.png']


def test_without_questions_the_generated_documents_are_the_result():
  _, records = synthetic.study(seeds=(0,), questions=8)
  records = [dataclasses.replace(record, questions=()) for record in records]
  report = assemble((), records, main_kinds={}, normalisation='sum')
  assert report.results == () and report.figures == {}
  assert len(report.findings) == len(report.quality) // 3 // 2
  text = page(report, settings={}, commands=('again',))
  for heading in ('Quality of the generated', 'Sample of generated', 'Costs'):
    assert heading in text
  for heading in ('Main figure', '<h2>Results', 'Paired', '<script'):
    assert heading not in text
  assert 'documents' in results_markdown(report)


def test_embedded_models_are_those_of_the_package():
  assert cautions.NANO == models.NANO
