"""What a study predicts of the models that it pretrains, as it is given."""

import pytest

from configs import causal
from icl_gen.reporting.rules import Rule
from icl_gen.runs import predicted, reported, studies
from tests.runs.test_pretrainings import CAUSAL, MADE

RULE = {'measured': 'icl', 'kinds': ('reversal',), 'low': 0.9}


def study(**rule):
  told = {'P1': {'text': 'It is so.', 'rules': {'one': rule}}}
  return studies.read(CAUSAL | {'pretraining': MADE | {'predictions': told}})


def test_a_rule_has_its_bounds_and_the_rest_is_allowed():
  given = study(**RULE, where={'both_orders': True, 'reversals': 0.7})
  ((claim),) = predicted.read(given.pretraining)
  assert (claim.name, claim.text) == ('P1', 'It is so.')
  where = {'both_orders': 'True', 'reversals': '0.7'}
  assert claim.rules == (Rule('icl', 0.9, 1.0, ('reversal',), where=where),)
  # As the table of the grid has them.
  assert where in reported.factors(given).values()


def test_a_study_need_not_predict():
  assert predicted.read({}) == predicted.read(MADE) == ()


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    ({'kinds': ()}, r'P1.rules.one has no kinds; a rule needs'),
    ({'lows': 1.0}, r'P1.rules.one has lows; a rule needs'),
    ({'measured': 'context'}, "measured='context'; give a condition"),
    ({'measured': 'icl-ft-ft_aug'}, "measured='icl-ft-ft_aug'; give"),
    ({'high': 0.5}, 'allows 0.9 to 0.5; give low and high as shares'),
    ({'high': 100}, 'allows 0.9 to 100; give low and high as shares'),
    ({'low': '90 %'}, "allows '90 %' to 1.0; give low and high as shares"),
    ({'kinds': 'reversal'}, "kinds='reversal'; give a list of kinds"),
    ({'where': {'both': True}}, "where: the recipe has no setting 'both'"),
  ],
)
def test_mistakes_are_refused(change, message):
  with pytest.raises(ValueError, match=message):
    study(**RULE | change)


@pytest.mark.parametrize(
  'given', [{}, {'text': 'It is so.'}, {'text': '', 'rules': {}}, 'It is so.']
)
def test_a_prediction_needs_a_text_and_rules(given):
  change = {'pretraining': MADE | {'predictions': {'P1': given}}}
  with pytest.raises(ValueError, match=r'predictions.P1: give a text, and'):
    studies.read(CAUSAL | change)


@pytest.mark.parametrize('variant', ['', 'shares', 'tiny'])
def test_the_causal_study_predicts_something_of_its_grid(variant):
  """Of a smaller grid, some predictions are not judged."""
  given = studies.read(causal.get_config(variant).to_dict())
  grid = reported.factors(given).values()
  about = [
    any(rule.where.items() <= values.items() for values in grid)
    for claim in predicted.read(given.pretraining)
    for rule in claim.rules
  ]
  assert len(about) == 6 and (all(about) or variant == 'shares')
  assert any(about)
