"""The figure of the training curves."""

import pytest

from icl_gen.reporting import curves
from icl_gen.reporting.records import Curve

CURVES = [
  Curve(world, condition, 'nano', seed, (10, 20, 30), (2.0, 1.0 + seed, 0.5))
  for world in ('reversal', 'custom')
  for condition in ('ft', 'ft_aug')
  for seed in (0, 1)
]


def test_equal_curves_give_equal_bytes_in_any_order():
  drawn = curves.figure(CURVES)
  assert drawn.startswith(b'\x89PNG')
  assert curves.figure(CURVES[::-1]) == drawn
  assert curves.figure(CURVES[:-1]) != drawn


@pytest.mark.parametrize(
  ('number', 'size'), [(1, (1, 1)), (4, (1, 4)), (6, (2, 4))]
)
def test_a_panel_per_world_and_model(monkeypatch, number, size):
  titles = []
  monkeypatch.setattr(
    curves, 'png', lambda figure: titles.extend(_panels(figure)) or b''
  )
  some = [
    Curve('reversal', 'ft', f'model{n}', 0, (1, 2), (1.0, 0.5))
    for n in range(number)
  ]
  curves.figure(some)
  assert titles == [size, *(f'reversal, model{n}' for n in range(number))]


def _panels(figure):
  grid = figure.axes[0].get_gridspec()
  shown = [axis for axis in figure.axes if axis.get_visible()]
  return [(grid.nrows, grid.ncols), *(axis.get_title() for axis in shown)]
