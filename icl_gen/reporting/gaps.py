"""What a reader should know is not there, in plain sentences."""

from collections.abc import Mapping, Sequence

from icl_gen.reporting.records import CONDITIONS, AugmentationRecord, Cell


def missing(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  *,
  main_kinds: Mapping[str, str],
) -> tuple[str, ...]:
  """Sentences on absent worlds, conditions, seeds, kinds and records.

  What is expected is what the other cells of the same world and model have.
  """
  found = [
    f'{world}: no finished cell.'
    for world in sorted(main_kinds)
    if world not in {cell.world for cell in cells}
  ]
  for world, model in sorted({(c.world, c.model) for c in cells}):
    group = [c for c in cells if (c.world, c.model) == (world, model)]
    found += [f'{world}, {model}: {text}' for text in _cell_gaps(group)]
    recorded = {r.seed for r in records if (r.world, r.model) == (world, model)}
    found += [
      f'{world}, {model}, {CONDITIONS["ft_aug"]}: no record of the generated'
      f' documents of {_seeds(absent)}.'
      for absent in [_seeds_of(group, 'ft_aug') - recorded]
      if absent
    ]
  for record in records:
    place = f'{record.world}, {record.model}, seed {record.seed}'
    if not record.documents:
      found.append(f'{place}: no document was generated.')
    if not record.questions:
      found.append(
        f'{place}: the record of generated documents has no'
        ' questions; coverage is unknown.'
      )
  return tuple(found)


def _cell_gaps(cells: Sequence[Cell]) -> list[str]:
  """Gaps within one world and model."""
  seeds = {cell.seed for cell in cells}
  kinds = {score.kind for cell in cells for score in cell.scores}
  found = []
  for condition, name in CONDITIONS.items():
    here = [cell for cell in cells if cell.condition == condition]
    if not here:
      found.append(f'condition {name} was not run.')
      continue
    if absent := seeds - {cell.seed for cell in here}:
      found.append(f'{name} is missing {_seeds(absent)}.')
    asked = {score.kind for cell in here for score in cell.scores}
    found += [
      f'{name} answered no question of kind {kind}.'
      for kind in sorted(kinds - asked)
    ]
  if len(seeds) == 1:
    found.append(
      'one seed only; the intervals do not show how seeds would differ.'
    )
  return found


def _seeds_of(cells: Sequence[Cell], condition: str) -> set[int]:
  return {cell.seed for cell in cells if cell.condition == condition}


def _seeds(seeds: set[int]) -> str:
  word = 'seed' if len(seeds) == 1 else 'seeds'
  return f'{word} {", ".join(map(str, sorted(seeds)))}'
