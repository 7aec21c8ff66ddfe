"""The notebook's outputs are what its cells give."""

import json

import matplotlib
import pandas as pd
import pytest

from tests.rules import ROOT

_CELLS = json.loads((ROOT / 'docs/quickstart.ipynb').read_text())['cells']


def code(cell):
  lines = ''.join(cell['source']).split('\n')
  return '\n'.join(line for line in lines if not line.startswith('%'))


def shown(cell):
  """The text that a cell's last expression is shown as."""
  for output in cell['outputs']:
    if output['output_type'] == 'execute_result':
      return ''.join(output['data']['text/plain'])
  return None


def test_every_cell_ran():
  cells = [cell for cell in _CELLS if cell['cell_type'] == 'code']
  assert [cell['execution_count'] for cell in cells] == list(
    range(1, len(cells) + 1)
  )
  outputs = [output for cell in cells for output in cell['outputs']]
  assert not [o for o in outputs if o['output_type'] == 'error']
  assert sum('image/png' in o.get('data', {}) for o in outputs) == 1


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_executed_again_the_accuracies_are_those_shown():
  matplotlib.use('agg')
  values = {}
  for cell in _CELLS:
    if cell['cell_type'] == 'code':
      exec(code(cell), values)
  last = next(c for c in _CELLS if 'accuracy = pd' in ''.join(c['source']))
  assert repr(values['accuracy']) == shown(last)
  assert isinstance(values['accuracy'], pd.DataFrame)
