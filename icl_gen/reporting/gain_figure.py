"""What own inferences brought, against their coverage and their precision."""

import dataclasses
from collections.abc import Sequence

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from icl_gen.reporting.answers import MEAN, Comparison
from icl_gen.reporting.augmentations import ALL, Coverage, Quality
from icl_gen.reporting.glossary import reading_order
from icl_gen.reporting.runs import DEVELOPMENT
from icl_gen.reporting.style import (
  INK,
  STYLE,
  bottom,
  png,
  ranked,
  title,
)

NAME = 'gains.png'
# Colours of Okabe and Ito, each with a form of its own; one pair per world.
_LOOKS = (
  ('#0072B2', 'o'),
  ('#D55E00', 's'),
  ('#009E73', 'D'),
  ('#CC79A7', '^'),
  ('#E69F00', 'v'),
  ('#56B4E9', 'P'),
  ('#999999', 'X'),
  ('#222222', '*'),
)


@dataclasses.dataclass(frozen=True)
class Gain:
  """What one kind of question gained from own inferences, under one seed.

  Attributes:
    world: the world's name.
    model: the model's name.
    kind: the questions' kind, without strata.
    seed: the cells' seed as text.
    coverage: share of the questions that a generated document answers.
    precision: share of all generated documents of the world that is true; None
      if they could not be checked.
    gain: accuracy with own inferences minus that of plain fine-tuning, on the
      same questions.
  """

  world: str
  model: str
  kind: str
  seed: str
  coverage: float
  precision: float | None
  gain: float


def gains(
  coverage: Sequence[Coverage],
  comparisons: Sequence[Comparison],
  quality: Sequence[Quality],
  *,
  normalisation: str,
) -> tuple[Gain, ...]:
  """One per world, model, kind and seed that has all that it needs.

  Args:
    coverage: rows of coverage.csv, of one run per world and model.
    comparisons: rows of differences.csv, of the same runs.
    quality: rows of augmentation.csv, of what these runs were trained on.
    normalisation: of accuracies.
  """
  gained = {
    (row.world, row.model, row.kind, row.seed): row.difference
    for row in comparisons
    if (row.comparison, row.normalisation) == ('ft_aug-ft', normalisation)
  }
  precise = {
    (row.world, row.model, row.seed): row.true
    for row in quality
    if row.augmentation == ALL
  }
  found = [
    Gain(
      world=row.world,
      model=row.model,
      kind=row.kind,
      seed=row.seed,
      coverage=row.coverage,
      precision=precise.get((row.world, row.model, row.seed)),
      gain=gained[row.world, row.model, row.kind, row.seed],
    )
    for row in coverage
    if (row.augmentation, row.normalisation) == (ALL, normalisation)
    and row.seed != MEAN
    and ':' not in row.kind
    and row.coverage is not None
    and (row.world, row.model, row.kind, row.seed) in gained
  ]
  return tuple(
    sorted(
      found, key=lambda g: (reading_order(g.world), g.model, g.kind, g.seed)
    )
  )


def figure(found: Sequence[Gain], *, normalisation: str) -> bytes:
  """Gain against coverage, and against precision, as PNG bytes.

  Args:
    found: at least one; equal ones give equal bytes.
    normalisation: of accuracies.
  """
  models = sorted({one.model for one in found})
  worlds = list(dict.fromkeys(one.world for one in found))
  looks = {w: _LOOKS[n % len(_LOOKS)] for n, w in enumerate(worlds)}
  with matplotlib.rc_context(STYLE):
    drawn = Figure(figsize=(8.4, 3.4 * len(models) + 0.9))
    axes = drawn.subplots(
      len(models), 2, squeeze=False, sharex=True, sharey=True
    )
    for model, (left, right) in zip(models, axes, strict=True):
      for one in found:
        if one.model == model:
          _mark(left, one.coverage, one, looks[one.world])
          _mark(right, one.precision, one, looks[one.world])
      for axis in (left, right):
        axis.axhline(0, color=INK, lw=0.8)
        axis.grid()
        axis.set_xlim(-4, 104)
        axis.set_xticks(range(0, 101, 25))
        axis.tick_params(labelbottom=True)
      left.set_ylabel(f'gain of {model} (points)')
      left.set_xlabel('questions covered (%)')
      right.set_xlabel('generated documents that are true (%)')
    title(
      drawn,
      'What own inferences add to fine-tuning, by their coverage and precision',
    )
    bottom(
      drawn,
      _handles(looks),
      'Each mark is one kind of question of a world under one seed. Precision'
      ' is that of all generated documents of the world, so kinds share it.'
      f' {ranked(normalisation)}',
      columns=4,
    )
    return png(drawn)


def _mark(
  axis: Axes, share: float | None, one: Gain, look: tuple[str, str]
) -> None:
  if share is None:
    return
  color, form = look
  axis.scatter(
    100 * share,
    100 * one.gain,
    s=30,
    marker=form,
    facecolor='white' if one.kind in DEVELOPMENT else color,
    edgecolor=color,
    linewidth=1.1,
    alpha=0.8,
    zorder=5,
    clip_on=False,
  )


def _handles(looks: dict[str, tuple[str, str]]) -> list[Artist]:
  def entry(color: str, form: str, fill: str, label: str) -> Line2D:
    return Line2D(
      [],
      [],
      ls='',
      ms=5.5,
      marker=form,
      color=color,
      markerfacecolor=fill,
      label=label,
    )

  of_worlds = [entry(c, form, c, world) for world, (c, form) in looks.items()]
  return [
    *of_worlds,
    entry(INK, 'o', INK, 'has to be inferred'),
    entry(INK, 'o', 'white', 'is stated in documents'),
  ]
