"""The main results in sentences."""

from collections.abc import Mapping, Sequence

from icl_gen.reporting import answers, cautions, runs
from icl_gen.reporting.formatting import (
  interval,
  p_value,
  percent,
  percent_range,
  points,
)
from icl_gen.reporting.glossary import panel_title, reading_order
from icl_gen.reporting.records import CONDITIONS, is_main


def findings(
  results: Sequence[answers.Result],
  adjusted: Mapping[answers.Comparison, float],
  chosen: Mapping[runs.Place, str | None],
  *,
  main_kinds: Mapping[str, str],
  normalisation: str,
) -> tuple[str, ...]:
  """The main kinds' accuracies per world and model, and what ft_aug gained.

  Where the model cannot do in context what is asked, that comes first.

  Args:
    results: of the runs that are shown.
    adjusted: differences of these runs -> their adjusted p-values.
    chosen: place with several runs -> the one that is chosen.
    main_kinds: world -> kind of question in the main figure; '' for all.
    normalisation: one of `statistics.NORMALISATIONS`.
  """
  main = [
    row
    for row in results
    if (row.seed, row.normalisation) == (answers.MEAN, normalisation)
    and is_main(row.kind, main=main_kinds[row.world])
  ]
  gains = {
    (row.world, row.model, row.kind): _gain(row, found)
    for row, found in adjusted.items()
    if row.comparison == 'ft_aug-ft'
  }
  sentences = []
  for place in sorted(
    {(row.world, row.model, row.kind) for row in main},
    key=lambda place: (reading_order(place[0]), *place[1:]),
  ):
    rows = [row for row in main if (row.world, row.model, row.kind) == place]
    accuracies = ', '.join(
      f'{CONDITIONS[row.condition]} {percent(row.accuracy)}\u00a0%'
      f' {interval(row.low, row.high)}'
      for row in rows
    )
    chance = percent_range((row.chance for row in rows), places=0)
    world, model, kind = place
    sentences.append(
      f'{cautions.in_context(rows)}'
      f'{panel_title(world, kind)} ({kind} questions of {world}, model {model},'
      f' chance {chance}\u00a0%): {accuracies}.'
      f'{gains.get(place, "")}{_choice((world, model), chosen)}'
    )
  return tuple(sentences)


def _choice(
  place: tuple[str, str], chosen: Mapping[runs.Place, str | None]
) -> str:
  """A sentence on the runs that were chosen; '' without a choice."""
  names = [
    f'{CONDITIONS[condition]} {runs.label(run)}'
    for (world, model, condition), run in chosen.items()
    if (world, model) == place and run is not None
  ]
  if not names:
    return ''
  return f' Runs chosen on the development questions: {", ".join(names)}.'


def _gain(row: answers.Comparison, adjusted: float) -> str:
  p = p_value(adjusted)
  return (
    " Adding the model's own inferences to the fine-tuning data changed"
    f' accuracy by {points(row.difference)} points'
    f' {interval(row.low, row.high)}, p {p if p.startswith("<") else f"= {p}"}.'
  )
