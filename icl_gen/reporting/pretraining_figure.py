"""The figure of a study whose models differ in how they were pretrained."""

import types
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.figure import Figure

from icl_gen.reporting.answers import MEAN, Result
from icl_gen.reporting.records import CONDITIONS, is_main
from icl_gen.reporting.style import (
  CONDITION_COLORS,
  INK,
  STYLE,
  bottom,
  note,
  png,
  title,
)

NAME = 'pretraining.png'
# Run -> setting of the pretraining -> its value; see `reported.factors`.
Factors = Mapping[str, Mapping[str, str]]
NO_FACTORS: Factors = types.MappingProxyType({})


def figures(
  results: Sequence[Result],
  factors: Factors,
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> dict[str, bytes]:
  """File name -> PNG bytes; none unless models differ in their pretraining."""
  if not factors:
    return {}
  drawn = figure(
    results, factors, main_kinds=main_kinds, normalisation=normalisation
  )
  return {NAME: drawn}


def figure(
  results: Sequence[Result],
  factors: Factors,
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> bytes:
  """A panel per condition, with a bar for every way of pretraining.

  Args:
    results: of all runs.
    factors: what each run's model was pretrained with; not empty.
    main_kinds: world -> the kind of question that is shown.
    normalisation: how choices are ranked.
  """
  rows = of_main_kinds(
    results, factors, main_kinds=main_kinds, normalisation=normalisation
  )
  conditions = [c for c in CONDITIONS if any(r.condition == c for r in rows)]
  with matplotlib.rc_context(STYLE):
    wide = (0.6 + (0.9 + 0.55 * len(factors)) * len(conditions), 3.9)
    drawn = Figure(figsize=wide)
    axes = drawn.subplots(1, len(conditions), squeeze=False, sharey=True)
    for axis, condition in zip(axes.flat, conditions, strict=True):
      for place, run in enumerate(factors):
        chosen = [r for r in rows if (r.condition, r.run) == (condition, run)]
        means = [row for row in chosen if row.seed == MEAN]
        seeds = [row for row in chosen if row.seed != MEAN]
        for mean in means:
          axis.bar(
            place, 100 * mean.accuracy, 0.7, color=CONDITION_COLORS[condition]
          )
          axis.vlines(place, 100 * mean.low, 100 * mean.high, color=INK, lw=1.3)
          axis.axhline(100 * mean.chance, color=INK, ls='--', lw=0.8)
        axis.scatter(
          [place] * len(seeds),
          [100 * row.accuracy for row in seeds],
          s=9,
          zorder=6,
          facecolor='white',
          edgecolor=INK,
          linewidth=0.6,
        )
      axis.set_title(CONDITIONS[condition])
      labels = ['\n'.join(values.values()) for values in factors.values()]
      axis.set_xticks(range(len(labels)), labels)
      axis.set_ylim(0, 105)
    axes[0, 0].set_ylabel('accuracy (%)')
    title(
      drawn, 'Accuracy on the test questions, by how models were pretrained'
    )
    settings = ', then '.join(next(iter(factors.values())))
    below = f'Below each bar: {settings}. Dashed: chance. Dots: seeds. '
    bottom(drawn, [], below + note(normalisation), columns=1)
    return png(drawn)


def of_main_kinds(
  results: Sequence[Result],
  factors: Factors,
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> list[Result]:
  """The rows of the pretrained runs about what the main figure asks."""
  return [
    row
    for row in results
    if row.run in factors
    and row.normalisation == normalisation
    and is_main(row.kind, main=main_kinds[row.world])
  ]
