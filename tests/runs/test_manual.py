"""--help lists every key of a config, with what the sources say of it."""

import pytest

from configs import custom, reversal, study
from icl_gen.runs import experiments, manual
from tests.rules import ROOT, leaves

SOURCE = """
def get_config():
  # Of the whole run,
  # in order.
  config.seeds = (1, 2)  # each once
  config.none = 3
  config.text = '# 7'
  config.train = dict(
    rate=0.5,  # per step
  )
"""


def told(values, source=SOURCE):
  return '\n'.join(manual.lines(values, source))


def test_comments_are_those_above_and_after_an_assignment():
  values = {'seeds': (1, 2), 'none': 3, 'text': '# 7', 'train': {'rate': 0.5}}
  assert told(values).splitlines() == [
    '  seeds = (1, 2)',
    '      Of the whole run, in order. each once.',
    '  none = 3',
    "  text = '# 7'",
    '  train.rate = 0.5',
    '      Per step.',
  ]


@pytest.mark.parametrize('config', [reversal, custom])
def test_every_key_of_an_experiment_is_explained(config):
  values = config.get_config()
  text = told(values.to_dict(), (ROOT / config.__file__).read_text())
  lines = text.splitlines()
  for key, _ in leaves(values):
    (number,) = (
      i for i, line in enumerate(lines) if line.startswith(f'  {key} = ')
    )
    said = lines[number + 1]
    assert said.startswith('      '), f'nothing is said of {key}'
    assert not said.startswith('      Allowed'), f'no comment on {key}'
  assert max(map(len, lines)) <= 80
  joined = ' '.join(text.split())
  for key in (*experiments.CHOICES, *experiments.RANGES):
    assert f'Allowed: {experiments.allowed(key)}.' in joined


def test_the_experiments_of_a_study_are_told_once():
  text = told(study.get_config().to_dict())
  assert text.count('.train.steps = ') == 1
  assert "  experiments.<name>.world = 'celebrity' | 'process' | " in text
