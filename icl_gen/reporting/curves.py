"""The training curves: the loss of every run over its steps, in one figure."""

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from icl_gen.reporting.glossary import reading_order
from icl_gen.reporting.records import CONDITIONS, Curve
from icl_gen.reporting.style import (
  CONDITION_COLORS,
  STYLE,
  bottom,
  png,
  title,
)

NAME = 'curves.png'
_COLUMNS = 4
_NOTE = (
  'Each line is a run: the loss of single batches, as logged. Conditions are'
  ' trained on different documents, so that the levels of two conditions do not'
  ' compare.'
)


def figure(curves: Sequence[Curve]) -> bytes:
  """A panel per world and model, a line per run, as PNG bytes.

  Args:
    curves: at least one, in any order; equal curves give equal bytes.
  """
  places = sorted(
    {(curve.world, curve.model) for curve in curves},
    key=lambda place: (reading_order(place[0]), place[1]),
  )
  columns = min(len(places), _COLUMNS)
  lines = -(-len(places) // columns)
  with matplotlib.rc_context(STYLE):
    drawn = Figure(figsize=(max(4.2, 2.6 * columns + 0.5), 2.3 * lines + 0.9))
    axes = drawn.subplots(lines, columns, squeeze=False)
    for number, (axis, place) in enumerate(
      zip(axes.flat, places, strict=False)
    ):
      _panel(axis, [c for c in curves if (c.world, c.model) == place])
      axis.set_title(', '.join(place))
      if number % columns == 0:
        axis.set_ylabel('training loss')
    for axis in axes.flat[len(places) :]:
      axis.set_visible(False)
    title(drawn, 'Training loss over the steps of fine-tuning')
    handles = [
      Line2D([], [], color=CONDITION_COLORS[name], label=CONDITIONS[name])
      for name in CONDITIONS
      if name in {curve.condition for curve in curves}
    ]
    bottom(drawn, handles, _NOTE, columns=2)
    return png(drawn)


def _panel(axis: Axes, curves: Sequence[Curve]) -> None:
  for curve in sorted(curves, key=lambda c: (c.condition, c.seed)):
    axis.plot(
      curve.steps,
      curve.losses,
      color=CONDITION_COLORS[curve.condition],
      lw=1.1,
      marker='o',
      # Runs with many logged steps are lines without dots.
      markersize=2.2 if len(curve.steps) <= 30 else 0,
      alpha=0.8,
    )
  axis.set_ylim(bottom=0)
  axis.set_xlim(left=0)
  axis.grid(axis='y')
  axis.set_xlabel('step')
