"""--help lists every key of a config, with what the sources say of it."""

import pytest

from configs import custom, measure, pretrain, reversal, study
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
  text = of(study)
  assert text.count('.train.steps = ') == 1
  assert "  experiments.<name>.world = 'celebrity' | 'process' | " in text


def of(config):
  return told(
    config.get_config().to_dict(), (ROOT / config.__file__).read_text()
  )


def test_every_key_of_a_study_is_explained():
  lines = of(study).splitlines()
  for line, said in zip(lines, [*lines[1:], ''], strict=True):
    explained = said.startswith('      ') or line.startswith('  main_kinds.')
    assert line.startswith('      ') or explained, f'nothing is said of {line}'
  text = ' '.join(' '.join(lines).split())
  # The worlds mean different things by it.
  assert 'Number of documents, at least one per category.' in text
  assert 'Number of premise pairs; no two share a term (syllogism).' in text
  assert 'Number of worked examples of combinations (process).' in text


def test_a_block_is_explained_once_and_stages_are_told_once():
  text = of(measure)
  assert text.count('World -> the size parameters that are varied') == 1
  text = of(pretrain)
  assert text.count('Stages run in the order of their names') == 1
  assert '  stages.<name>.rows = 32 | 8 | 2 | 1\n' in text
