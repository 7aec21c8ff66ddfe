"""Figures of ablations: accuracy by kind of question, by levels of a setting.

A run's name lists the settings that are not as configured. Runs that name the
same settings are one ablation, together with those that name fewer of them, so
that all that it builds on is beside it.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from icl_gen.reporting import answers, figures
from icl_gen.reporting.answers import Result
from icl_gen.reporting.glossary import reading_order
from icl_gen.reporting.records import CONDITIONS, Cell, parts
from icl_gen.reporting.runs import label
from icl_gen.reporting.style import INK, STYLE, bottom, note, png, title

_NAME = 'ablation_{}.png'
_CONFIGURED = '#bbbbbb'


@dataclasses.dataclass(frozen=True)
class Ablation:
  """Runs that differ in the same settings.

  Attributes:
    settings: names of the settings, sorted.
    levels: the runs: as configured, then by the values of the settings.
  """

  settings: tuple[str, ...]
  levels: tuple[str, ...]

  @property
  def file(self) -> str:
    """The file name of its figure."""
    return _NAME.format('-'.join(self.settings))


@dataclasses.dataclass(frozen=True)
class Panel:
  """What one panel shows: a condition that an ablation changes.

  Attributes:
    world: the world's name.
    model: the model's name.
    condition: the condition.
    rows: results of the levels that were run under it.
  """

  world: str
  model: str
  condition: str
  rows: tuple[Result, ...]


def ablations(
  runs: Collection[str], names: Collection[str]
) -> tuple[Ablation, ...]:
  """The ablations among runs; none that is a part of another one.

  Args:
    runs: names of runs.
    names: of all settings that a run's name may have.
  """
  values = {run: _values(run, names) for run in sorted(set(runs))}
  groups: dict[tuple[str, ...], list[str]] = {}
  for run, found in values.items():
    if found:
      groups.setdefault(tuple(sorted(found)), []).append(run)
  every = [
    Ablation(settings, _levels(settings, of, values))
    for settings, of in sorted(groups.items())
  ]
  return tuple(
    one
    for one in every
    if not any(set(one.levels) < set(other.levels) for other in every)
  )


def _values(run: str, names: Collection[str]) -> dict[str, str]:
  """Setting -> value, as a run's name has them."""
  found = {}
  for part in parts(run):
    fitting = [name for name in names if part.startswith(f'{name}_')]
    # Who named a run by hand need not have named settings.
    setting = max(fitting, key=len, default=part)
    found[setting] = part.removeprefix(f'{setting}_')
  return found


def _levels(
  settings: tuple[str, ...],
  of: Sequence[str],
  values: Mapping[str, Mapping[str, str]],
) -> tuple[str, ...]:
  """The runs with these settings, and those with a part of them."""
  varied = {
    setting: {values[run][setting] for run in of} for setting in settings
  }
  fixed = {s: min(found) for s, found in varied.items() if len(found) == 1}
  levels = [
    run
    for run, found in values.items()
    if found.keys() <= varied.keys()
    and all(found.get(s, value) == value for s, value in fixed.items())
  ]

  def place(run: str) -> list[tuple[int, float, str]]:
    # The value that is configured is not in the name.
    return [_place(values[run].get(setting, '')) for setting in settings]

  return tuple(sorted(levels, key=lambda run: (bool(run), place(run))))


def _place(value: str) -> tuple[int, float, str]:
  try:
    return 1, float(value), value
  except ValueError:
    return 2 * bool(value), 0.0, value


def drawn(
  cells: Sequence[Cell],
  *,
  names: Collection[str],
  normalisation: str,
) -> dict[str, bytes]:
  """File name -> PNG bytes, of every ablation.

  Args:
    cells: as they were run, in any order.
    names: of all settings that a run's name may have.
    normalisation: how choices are ranked.
  """
  found = ablations({cell.run for cell in cells}, names)
  # Not those of the other tables, in which a cell also stands for other runs.
  results = answers.results(answers.table(cells)) if found else ()
  shown = {
    one: panels(one, results, cells, normalisation=normalisation)
    for one in found
  }
  return {
    one.file: _figure(one, of, normalisation=normalisation)
    for one, of in shown.items()
    if of
  }


def panels(
  ablation: Ablation,
  results: Sequence[Result],
  cells: Sequence[Cell],
  *,
  normalisation: str,
) -> tuple[Panel, ...]:
  """The conditions of which several levels were run, of worlds and models.

  Args:
    ablation: its levels.
    results: of these cells.
    cells: as they were run.
    normalisation: how choices are ranked.
  """
  ran: dict[tuple[str, str, str], set[str]] = {}
  for cell in cells:
    if cell.run in ablation.levels:
      place = cell.world, cell.model, cell.condition
      ran.setdefault(place, set()).add(cell.run)
  conditions = list(CONDITIONS)
  return tuple(
    Panel(
      *place,
      tuple(
        row
        for row in results
        if (row.world, row.model, row.condition) == place
        and row.run in ran[place]
        and row.normalisation == normalisation
        and ':' not in row.kind
      ),
    )
    for place in sorted(
      ran, key=lambda p: (reading_order(p[0]), p[1], conditions.index(p[2]))
    )
    if len(ran[place]) > 1
  )


def _figure(
  ablation: Ablation, shown: Sequence[Panel], *, normalisation: str
) -> bytes:
  """A line of panels per world and model, with a bar for every level."""
  lines = list(dict.fromkeys((one.world, one.model) for one in shown))
  conditions = [c for c in CONDITIONS if any(p.condition == c for p in shown)]
  kinds = max(len({row.kind for row in one.rows}) for one in shown)
  width = 0.9 + kinds * (0.5 + 0.3 * len(ablation.levels))
  colors = _colors(ablation.levels)
  with matplotlib.rc_context(STYLE):
    figure, axes = figures.grid_of_panels(
      len(lines), len(conditions), width=width, height=2.7
    )
    for axis in axes.flat:
      axis.set_visible(False)
    for one in shown:
      column = conditions.index(one.condition)
      axis = axes[lines.index((one.world, one.model)), column]
      axis.set_visible(True)
      asked = figures.by_distance({row.kind for row in one.rows})
      # Not all levels are of every world.
      ran = {row.run for row in one.rows}
      bars = {run: color for run, color in colors.items() if run in ran}
      figures.kind_bars(axis, one.rows, asked, bars, of=lambda row: row.run)
      figures.accuracy_axis(axis, label=column == 0)
      told = f'{one.world}, {one.model}: {CONDITIONS[one.condition]}'
      axis.set_title(told, fontsize=9, pad=8)
    settings = ', '.join(ablation.settings).replace('_', ' ')
    title(figure, f'Accuracy by kind of question; varied: {settings}')
    handles: list[Artist] = [
      Patch(facecolor=color, label=label(run)) for run, color in colors.items()
    ]
    handles.append(Line2D([], [], color=INK, ls='--', lw=1, label='chance'))
    columns = 1 if figure.get_figwidth() < 7 else 2
    bottom(figure, handles, note(normalisation), columns=columns)
    return png(figure)


def _colors(levels: Sequence[str]) -> dict[str, str]:
  """Run -> its colour: grey as configured, the others from dark to light."""
  others = [run for run in levels if run]
  steps = np.linspace(0.15, 0.9, len(others))
  map_ = matplotlib.colormaps['viridis']
  colors = {
    run: to_hex(map_(step)) for run, step in zip(others, steps, strict=True)
  }
  return {run: colors.get(run, _CONFIGURED) for run in levels}
