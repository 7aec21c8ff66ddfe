"""The figure of the generated documents: verdicts, and accuracy by coverage."""

from collections.abc import Collection, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from icl_gen.reporting.answers import MEAN
from icl_gen.reporting.augmentations import ALL, Coverage, Quality
from icl_gen.reporting.glossary import panel_title, reading_order
from icl_gen.reporting.records import VERDICTS
from icl_gen.reporting.style import (
  CONDITION_COLORS,
  FAINT,
  INK,
  STYLE,
  VERDICT_COLORS,
  bottom,
  note,
  png,
  title,
)

_DOTS = CONDITION_COLORS['ft_aug']


def augmentation_figure(
  quality: Sequence[Quality],
  coverage: Sequence[Coverage],
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> bytes:
  """Verdicts on the generated documents, next to accuracy by coverage.

  Raises:
    ValueError: there are no generated documents to draw.
  """
  # The sort is stable: rows of one world and model keep their order.
  shares = sorted(
    (row for row in quality if row.seed == MEAN),
    key=lambda row: (reading_order(row.world), row.model),
  )
  if not shares:
    raise ValueError(
      'there are no generated documents to draw; run augment first'
    )
  accuracies = {
    (row.world, row.model, row.augmentation): row
    for row in coverage
    if (row.seed, row.normalisation) == (MEAN, normalisation)
    and row.kind == main_kinds[row.world]
  }
  heights, gaps = _stacked_places(shares)
  with matplotlib.rc_context(STYLE):
    figure = Figure(figsize=(9.2, 2.1 + 0.34 * (len(shares) + gaps)))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.25, 1))
    _verdict_bars(left, shares, heights)
    targeted = {(r.world, r.model) for r in coverage if r.coverage is not None}
    _coverage_dots(right, shares, accuracies, heights, targeted)
    left.set_yticks(heights, [_row_name(row) for row in shares])
    left.tick_params(axis='y', length=0)
    left.set_ylim(max(heights) + 0.7, min(heights) - 1.0)
    for row, height in zip(shares, heights, strict=True):
      if row.augmentation == _first_of(shares, row):
        left.text(
          0,
          height - 0.52,
          f'{row.world} ({row.model})',
          fontweight='bold',
          va='bottom',
          fontsize=8.5,
        )
        kind = main_kinds[row.world]
        right.text(
          0,
          height - 0.52,
          panel_title(row.world, kind) if kind else '',
          va='bottom',
          fontsize=7.5,
          color=FAINT,
        )
    title(
      figure,
      'Verdicts on the generated documents,'
      ' and accuracy on the questions that they do or do not cover',
    )
    bottom(figure, _verdict_handles(), note(normalisation), columns=4)
    return png(figure)


def _verdict_bars(
  axis: Axes, shares: Sequence[Quality], heights: Sequence[float]
) -> None:
  starts = np.zeros(len(shares))
  for name in VERDICTS:
    column = 'new' if name == 'entailed' else name
    widths = np.array([100 * (getattr(row, column) or 0) for row in shares])
    color = VERDICT_COLORS[name]
    axis.barh(
      heights,
      widths,
      height=0.62,
      left=starts,
      color=color,
      edgecolor='white',
      lw=0.6,
    )
    dark = name in ('entailed', 'contradicted')
    for height, start, width in zip(heights, starts, widths, strict=True):
      if width >= 7:  # narrower ones have no room for a number
        axis.text(
          start + width / 2,
          height,
          f'{width:.0f}',
          ha='center',
          va='center',
          fontsize=7.5,
          color='white' if dark else INK,
        )
    starts += widths
  for row, height in zip(shares, heights, strict=True):
    axis.text(
      101.5,
      height,
      f'{row.documents:.0f}',
      va='center',
      fontsize=7.5,
      color=FAINT,
    )
  axis.text(
    101.5, heights[0] - 0.52, 'docs', va='bottom', fontsize=7.5, color=FAINT
  )
  axis.set_xlim(0, 110)
  axis.set_xticks(range(0, 101, 25))
  axis.spines['bottom'].set_bounds(0, 100)
  axis.spines['left'].set_visible(False)
  axis.set_xlabel('share of generated documents (%)')


def _coverage_dots(
  axis: Axes,
  shares: Sequence[Quality],
  accuracies: Mapping[tuple[str, str, str], Coverage],
  heights: Sequence[float],
  targeted: Collection[tuple[str, str]],
) -> None:
  for row, height in zip(shares, heights, strict=True):
    found = accuracies.get((row.world, row.model, row.augmentation))
    if found is None or found.coverage is None:
      axis.text(
        0,
        height,
        # Where all kinds are the main ones, there is no single accuracy.
        'several kinds of questions: see the table'
        if found is None and (row.world, row.model) in targeted
        else 'no question has a known target',
        va='center',
        fontsize=7.5,
        color=FAINT,
      )
      continue
    for side, lift, fill in (
      ('covered', -0.13, _DOTS),
      ('uncovered', 0.13, 'white'),
    ):
      accuracy = getattr(found, f'{side}_accuracy')
      if accuracy is None:
        continue
      low, high = (getattr(found, f'{side}_{end}') for end in ('low', 'high'))
      axis.hlines(height + lift, 100 * low, 100 * high, color=_DOTS, lw=1.3)
      axis.scatter(
        100 * accuracy,
        height + lift,
        s=26,
        facecolor=fill,
        zorder=5,
        edgecolor=_DOTS,
        linewidth=1.3,
        clip_on=False,
      )
    axis.text(
      107,
      height,
      f'{100 * found.coverage:.0f}',
      va='center',
      fontsize=7.5,
      color=FAINT,
    )
  axis.text(
    107,
    heights[0] - 0.52,
    'covered %',
    va='bottom',
    fontsize=7.5,
    color=FAINT,
  )
  axis.set_xlim(-2, 122)
  axis.set_xticks(range(0, 101, 25))
  axis.spines['bottom'].set_bounds(0, 100)
  axis.spines['left'].set_visible(False)
  axis.tick_params(axis='y', length=0)
  axis.grid(axis='x')
  axis.set_xlabel('accuracy after augmented fine-tuning (%)')


def _verdict_handles() -> list[Artist]:
  handles: list[Artist] = [
    Patch(facecolor=VERDICT_COLORS[name], label=words)
    for name, words in VERDICTS.items()
  ]
  for fill, label in (
    (_DOTS, 'questions covered'),
    ('white', 'questions not covered'),
  ):
    handles.append(
      Line2D(
        [],
        [],
        marker='o',
        ls='',
        ms=5,
        markerfacecolor=fill,
        markeredgecolor=_DOTS,
        label=label,
      )
    )
  return handles


def _stacked_places(shares: Sequence[Quality]) -> tuple[list[float], float]:
  """Heights of the rows, with a gap between worlds, and the gaps' sum."""
  heights, place, gaps = [], 0.0, 0.0
  for before, row in zip([None, *shares], shares, strict=False):
    if before and (before.world, before.model) != (row.world, row.model):
      place, gaps = place + 0.9, gaps + 0.9
    heights.append(place)
    place += 1.0
  return heights, gaps


def _first_of(shares: Sequence[Quality], row: Quality) -> str:
  place = (row.world, row.model)
  return next(
    other.augmentation
    for other in shares
    if (other.world, other.model) == place
  )


def _row_name(row: Quality) -> str:
  return 'all' if row.augmentation == ALL else row.augmentation
