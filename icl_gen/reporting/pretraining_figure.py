"""The figure of a study whose models differ in how they were pretrained."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icl_gen.reporting.answers import MEAN, Result
from icl_gen.reporting.glossary import reading_order
from icl_gen.reporting.records import CONDITIONS, Factors, is_main
from icl_gen.reporting.style import (
  CONDITION_COLORS,
  INK,
  STYLE,
  bottom,
  dots,
  note,
  png,
  title,
)

NAME = 'pretraining.png'


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

  Worlds, models and kinds of questions have a line of panels each.

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
  places = places_of(rows)
  with matplotlib.rc_context(STYLE):
    width = 0.6 + (0.9 + 0.55 * len(factors)) * len(conditions)
    drawn = Figure(figsize=(width, 0.9 + 3.0 * len(places)))
    axes = drawn.subplots(
      len(places), len(conditions), squeeze=False, sharey=True
    )
    for line, place in zip(axes, places, strict=True):
      here = [r for r in rows if (r.world, r.model, r.kind) == place]
      for axis, condition in zip(line, conditions, strict=True):
        _panel(axis, [r for r in here if r.condition == condition], factors)
        axis.set_title(CONDITIONS[condition])
      told = '\n'.join(place) + '\n' if len(places) > 1 else ''
      line[0].set_ylabel(f'{told}accuracy (%)')
    title(
      drawn, 'Accuracy on the test questions, by how models were pretrained'
    )
    settings = ', then '.join(next(iter(factors.values())))
    below = f'Below each bar: {settings}. Dashed: chance. Dots: seeds. '
    bottom(drawn, [], below + note(normalisation), columns=1)
    return png(drawn)


def places_of(rows: Sequence[Result]) -> list[tuple[str, str, str]]:
  """World, model and kind of each line of panels."""
  return sorted(
    {(row.world, row.model, row.kind) for row in rows},
    key=lambda place: (reading_order(place[0]), *place[1:]),
  )


def _panel(axis: Axes, rows: Sequence[Result], factors: Factors) -> None:
  """One condition: a bar per run, with its interval and its seeds."""
  for x, run in enumerate(factors):
    chosen = [row for row in rows if row.run == run]
    seeds = [row for row in chosen if row.seed != MEAN]
    for mean in (row for row in chosen if row.seed == MEAN):
      axis.bar(
        x, 100 * mean.accuracy, 0.7, color=CONDITION_COLORS[mean.condition]
      )
      axis.vlines(x, 100 * mean.low, 100 * mean.high, color=INK, lw=1.3)
      axis.axhline(100 * mean.chance, color=INK, ls='--', lw=0.8)
    dots(axis, [x] * len(seeds), [row.accuracy for row in seeds])
  labels = ['\n'.join(values.values()) for values in factors.values()]
  axis.set_xticks(range(len(labels)), labels)
  axis.set_ylim(0, 105)


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
