"""What was measured is kept, and used again only if it is whole."""

import ml_collections
import pytest

from icl_gen import measure
from icl_gen.model import loading
from tests.doors.conftest import configs

ROW = {
  'world': 'reversal', 'kind': 'reversal', 'context_tokens': 100,
  'accuracy': 0.5, 'low': 0.25, 'high': 1e-7, 'chance': 0.5,
}  # fmt: skip


def test_damaged_results_are_an_error_and_deleting_them_measures_again(
  monkeypatch, tmp_path, capsys
):
  measured = []

  def rows(model, world, size, *, seeds):
    measured.append(world)
    return [ROW]

  monkeypatch.setattr(measure, '_measure', rows)
  monkeypatch.setattr(loading, 'load', lambda name, **given: None)
  config = ml_collections.FrozenConfigDict(configs('measure').get_config())
  measure.run(config, tmp_path)
  (path,) = tmp_path.rglob('in_context.json')
  before, times = path.read_bytes(), len(measured)
  assert times and 'measured' in capsys.readouterr().out
  measure.run(config, tmp_path)
  assert len(measured) == times
  assert 'measured' not in capsys.readouterr().out
  for damaged in (before.replace(b'0.25', b'0.35'), before[:-9], b'[]'):
    assert damaged != before
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r'in_context\.json .*delete it'):
      measure.run(config, tmp_path)
  path.unlink()
  measure.run(config, tmp_path)
  assert path.read_bytes() == before


@pytest.mark.parametrize('grows', [(), (0,), ({0},)])
def test_what_grows_is_checked_before_anything_is_loaded(tmp_path, grows):
  config = configs('measure').get_config()
  with config.worlds.reversal.unlocked():
    config.worlds.reversal.grows = grows
  with pytest.raises(ValueError, match=r'--config\.worlds\.reversal\.grows='):
    measure.run(ml_collections.FrozenConfigDict(config), tmp_path)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
  ('key', 'value', 'allowed'),
  [
    ('seeds', (), 'one or more whole numbers, each once'),
    ('seeds', (100, 101, 100), 'one or more whole numbers, each once'),
    ('seeds', ('100',), 'whole numbers'),
    ('seeds', (-1,), '0 to '),
    ('forms', (), 'one or more of seen, '),
    ('forms', ('seen', 'seen'), 'one or more of seen, .*, each once'),
    ('forms', ('heard',), 'one or more of seen, '),
    ('worlds.reversal.sizes', (), 'one or more sizes, each once'),
    ('worlds.reversal.sizes', (5, 5), 'one or more sizes, each once'),
  ],
)
def test_nothing_and_twice_the_same_are_not_measured(
  tmp_path, key, value, allowed
):
  config = configs('measure').get_config()
  config.update_from_flattened_dict({key: value})
  with pytest.raises(ValueError, match=rf'--config\.{key}=.* give {allowed}'):
    measure.run(ml_collections.FrozenConfigDict(config), tmp_path)
  assert not list(tmp_path.iterdir())


def test_what_grows_is_not_fixed_as_well(tmp_path):
  config = configs('measure').get_config()
  with config.worlds.reversal.unlocked():
    config.worlds.reversal.fixed.facts = 5
  with pytest.raises(ValueError, match="'facts' is fixed as well"):
    measure.run(ml_collections.FrozenConfigDict(config), tmp_path)
