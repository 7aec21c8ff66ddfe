"""Figures of accuracies as PNG bytes; equal rows give equal bytes."""

from collections.abc import Callable, Collection, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from icl_gen.reporting.answers import MEAN, Result, questions_and_seeds
from icl_gen.reporting.glossary import panel_title, reading_order
from icl_gen.reporting.records import CHOSEN, CONDITIONS, is_main
from icl_gen.reporting.style import (
  CONDITION_COLORS,
  FAINT,
  INK,
  ON_PAPER,
  STYLE,
  bottom,
  dots,
  note,
  png,
  title,
)

# `CONDITIONS` on lines that fit below a bar.
TICKS = {
  'pretrained': 'pre-\ntrained',
  'icl': 'in\ncontext',
  'ft': 'fine-\ntuned',
  'ft_aug': 'fine-tuned\n+ own\ninferences',
}
# Kinds of questions by distance from what was stated; others follow.
KINDS = ('forward', 'rephrase', 'seen', 'reversal', 'syllogism', 'deduction')
# With more bar groups than this, strata are left out.
MAX_GROUPS = 8
# One per model; they repeat after the last.
HATCHES = ('', '////', '....', 'xxxx')


def main_figure(
  results: Sequence[Result],
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> bytes:
  """A panel per world, or kind of question, under every condition."""
  rows = _under(results, normalisation)
  panels = [
    (world, kind)
    for world in sorted({row.world for row in rows}, key=reading_order)
    for kind in by_distance({row.kind for row in rows if row.world == world})
    if is_main(kind, main=main_kinds[world])
  ]
  models = sorted({row.model for row in rows})
  lines = -(-len(panels) // 4)
  columns = -(-len(panels) // lines)
  with matplotlib.rc_context(STYLE):
    figure, axes = grid_of_panels(
      lines, columns, width=2.3 + 0.45 * len(models), height=3.0
    )
    for place, (axis, (world, kind)) in enumerate(
      zip(axes.flat, panels, strict=False)
    ):
      chosen = [row for row in rows if (row.world, row.kind) == (world, kind)]
      _condition_bars(axis, chosen, models)
      accuracy_axis(axis, label=place % columns == 0)
      axis.set_title(panel_title(world, kind), pad=16)
      axis.text(
        0.5,
        1.02,
        questions_and_seeds(chosen),
        transform=axis.transAxes,
        ha='center',
        va='bottom',
        fontsize=7.5,
        color=FAINT,
      )
    for axis in axes.flat[len(panels) :]:
      axis.set_visible(False)
    title(
      figure, 'Accuracy on the test questions, by how the model saw the facts'
    )
    handles = _model_handles(models)
    model = '' if handles else f'Model: {models[0]}. '
    if any(row.run == CHOSEN for row in rows):
      model += 'Runs chosen on development questions. '
    bottom(figure, handles, f'{model}{note(normalisation)}', columns=4)
    return png(figure)


def world_figure(
  results: Sequence[Result], world: str, *, normalisation: str
) -> bytes:
  """Every kind of question of one world under every condition.

  Strata have their own bars unless there would be more than `MAX_GROUPS`.
  """
  rows = [r for r in _under(results, normalisation) if r.world == world]
  models = sorted({row.model for row in rows})
  kinds = by_distance({row.kind for row in rows})
  if len(kinds) > MAX_GROUPS:
    kinds = [kind for kind in kinds if ':' not in kind]
    rows = [row for row in rows if row.kind in kinds]
  with matplotlib.rc_context(STYLE):
    width = max(4.6, 1.2 + 1.35 * len(kinds))
    figure, axes = grid_of_panels(len(models), 1, width=width, height=2.8)
    for axis, model in zip(axes.flat, models, strict=True):
      chosen = [row for row in rows if row.model == model]
      kind_bars(
        axis, chosen, kinds, CONDITION_COLORS, of=lambda row: row.condition
      )
      accuracy_axis(axis, label=True)
      axis.set_title(f'model: {model}', fontsize=9, pad=8)
    title(figure, f'{world}: accuracy by kind of question')
    handles: list[Artist] = [
      Patch(facecolor=CONDITION_COLORS[c], label=CONDITIONS[c])
      for c in CONDITIONS
    ]
    handles.append(Line2D([], [], color=INK, ls='--', lw=1, label='chance'))
    bottom(figure, handles, note(normalisation), columns=3)
    return png(figure)


def by_distance(kinds: Collection[str]) -> list[str]:
  """Kinds of questions, those about what documents state first."""

  def place(kind: str) -> tuple[int, str]:
    plain = kind.split(':')[0]
    return KINDS.index(plain) if plain in KINDS else len(KINDS), kind

  return sorted(kinds, key=place)


def _condition_bars(
  axis: Axes, rows: Sequence[Result], models: Sequence[str]
) -> None:
  """Conditions on the x axis, one bar per model at each of them."""
  width = 0.76 / len(models)
  for place, condition in enumerate(CONDITIONS):
    for rank, model in enumerate(models):
      x = place + (rank - (len(models) - 1) / 2) * width
      chosen = [r for r in rows if (r.condition, r.model) == (condition, model)]
      color = CONDITION_COLORS[condition]
      _bar(axis, x, 0.92 * width, chosen, color=color, rank=rank)
  axis.set_xticks(range(len(CONDITIONS)), [TICKS[c] for c in CONDITIONS])
  axis.set_xlim(-0.6, len(CONDITIONS) - 0.4)
  chances = sorted({round(row.chance, 6) for row in rows if row.seed == MEAN})
  for level in chances:
    axis.axhline(100 * level, color=INK, ls='--', lw=1.0, zorder=4)
  if chances:
    _chance_label(axis, len(CONDITIONS) - 0.42, chances[-1])


def kind_bars(
  axis: Axes,
  rows: Sequence[Result],
  kinds: Sequence[str],
  colors: Mapping[str, str],
  *,
  of: Callable[[Result], str],
) -> None:
  """Kinds on the x axis, several bars at each of them.

  Args:
    axis: to draw on.
    rows: of one world and model.
    kinds: of questions, from left to right.
    colors: name of a bar -> its colour, from left to right.
    of: returns the name of the bar that a row belongs to.
  """
  width = 0.8 / len(colors)
  for place, kind in enumerate(kinds):
    for rank, (bar, color) in enumerate(colors.items()):
      x = place + (rank - (len(colors) - 1) / 2) * width
      chosen = [r for r in rows if (r.kind, of(r)) == (kind, bar)]
      _bar(axis, x, 0.9 * width, chosen, color=color, rank=0)
    chances = {r.chance for r in rows if (r.kind, r.seed) == (kind, MEAN)}
    for level in sorted(chances):
      axis.hlines(
        100 * level,
        place - 0.44,
        place + 0.44,
        color=INK,
        ls='--',
        lw=1.0,
        zorder=4,
      )
  axis.set_xticks(
    range(len(kinds)), [_kind_label(rows, kind) for kind in kinds]
  )
  axis.set_xlim(-0.6, len(kinds) - 0.4)


def _kind_label(rows: Sequence[Result], kind: str) -> str:
  """The kind and the number of questions, on lines that are narrow enough."""
  asked = questions_and_seeds([row for row in rows if row.kind == kind])
  label = f'{kind.replace("_", " ")}\n{asked}'
  for before, after in ((':', ':\n'), (' ×', '\n×'), (' over', '\nover')):
    label = label.replace(before, after)
  return label


def _bar(
  axis: Axes,
  x: float,
  width: float,
  rows: Sequence[Result],
  *,
  color: str,
  rank: int,
) -> None:
  """One bar with its interval, its seeds as dots and its value; or a gap."""
  means = [row for row in rows if row.seed == MEAN]
  if not means:
    axis.text(
      x,
      2,
      'not run',
      rotation=90,
      ha='center',
      va='bottom',
      fontsize=7,
      color=FAINT,
    )
    return
  (mean,) = means
  hatch = HATCHES[rank % len(HATCHES)]
  axis.bar(
    x,
    100 * mean.accuracy,
    width,
    color=color,
    alpha=1.0 if not hatch else 0.6,
    hatch=hatch,
    edgecolor='white',
    lw=0,
  )
  axis.vlines(x, 100 * mean.low, 100 * mean.high, color=INK, lw=1.3, zorder=5)
  seeds = [row for row in rows if row.seed != MEAN]
  if len(seeds) > 1:
    spread = np.linspace(-0.3, 0.3, len(seeds)) * width
    dots(axis, list(x + spread), [row.accuracy for row in seeds])
  top = 100 * max(mean.high, *(row.accuracy for row in rows))
  axis.text(
    x,
    top + 2.0,
    f'{100 * mean.accuracy:.0f}',
    ha='center',
    va='bottom',
    fontsize=7.5,
    color=INK,
    zorder=7,
    bbox=ON_PAPER,
  )


def _under(results: Sequence[Result], normalisation: str) -> list[Result]:
  found = [row for row in results if row.normalisation == normalisation]
  assert found, f'no results under {normalisation!r}'
  return found


def grid_of_panels(
  lines: int, columns: int, *, width: float, height: float
) -> tuple[Figure, np.ndarray]:
  """A figure of panels in lines and columns, of a size in inches each."""
  size = (max(4.2, columns * width + 0.5), lines * height + 0.9)
  figure = Figure(figsize=size)
  return figure, figure.subplots(lines, columns, squeeze=False)


def accuracy_axis(axis: Axes, *, label: bool) -> None:
  """Makes the y axis one of accuracies, in per cent."""
  # Above 100 there is room for the numbers of full bars.
  axis.set_ylim(0, 110)
  axis.set_yticks(range(0, 101, 25))
  axis.spines['left'].set_bounds(0, 100)
  axis.grid(axis='y')
  if label:
    axis.set_ylabel('accuracy (%)')


def _chance_label(axis: Axes, x: float, level: float) -> None:
  axis.annotate(
    f'chance {100 * level:.0f} %',
    (x, 100 * level),
    xytext=(2, 0),
    textcoords='offset points',
    rotation=90,
    va='center',
    ha='left',
    fontsize=7,
    color=INK,
  )


def _model_handles(models: Sequence[str]) -> list[Patch]:
  """A legend of models; empty for a single one."""
  if len(models) == 1:
    return []
  return [
    Patch(
      facecolor='#777777',
      hatch=HATCHES[rank % len(HATCHES)],
      edgecolor='white',
      lw=0,
      alpha=0.6 if rank else 1.0,
      label=model,
    )
    for rank, model in enumerate(models)
  ]
