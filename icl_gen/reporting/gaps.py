"""What a study lacks, in sentences; and what its settings must name."""

from collections.abc import Collection, Mapping, Sequence

from icl_gen.reporting.records import (
  CONDITIONS,
  AugmentationRecord,
  Cell,
  CellName,
  kinds,
)


def gaps(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  *,
  main_kinds: Mapping[str, str],
  unfinished: Sequence[CellName] = (),
) -> tuple[str, ...]:
  """Sentences on absent worlds, conditions, seeds, kinds and records.

  Something is absent if it is not finished, or if other cells of the same
  world, model and run have it.

  Args:
    cells: of every run.
    records: of generated documents.
    main_kinds: world -> kind of question in the main figure.
    unfinished: cells that should be there and are not.
  """
  worlds = {cell.world for cell in cells}
  without = sorted(set(main_kinds) - worlds)
  found = [f'{w}: no finished cell.' for w in without]
  groups: dict[tuple[str, str, str], list[Cell]] = {}
  for cell in cells:
    groups.setdefault((cell.world, cell.model, cell.run), []).append(cell)
  wanted: dict[tuple[str, str, str], set[int]] = {}
  for one in unfinished:
    wanted.setdefault((one.world, one.model, one.run), set()).add(one.seed)
  found += [
    f'{", ".join(filter(None, key))}: no finished cell.'
    for key in sorted(wanted.keys() - groups.keys())
    if key[0] not in without and not _is_shared(key, groups)
  ]
  for key, group in sorted(groups.items()):
    place = ', '.join(filter(None, key))
    seeds = wanted.get(key, set())
    found += [f'{place}: {text}' for text in _cell_gaps(group, seeds)]
    recorded = {
      r.seed
      for r in records
      for run in r.runs
      if (r.world, r.model, run) == key
    }
    trained = {c.seed for c in group if c.condition == 'ft_aug'}
    if absent := trained - recorded:
      found.append(
        f'{place}, {CONDITIONS["ft_aug"]}: no record of the generated'
        f' documents for {_seeds(absent)}.'
      )
  for record in records:
    of = filter(None, (record.world, record.model, record.run))
    place = f'{", ".join(of)}, seed {record.seed}'
    if not record.documents:
      found.append(f'{place}: no documents were generated.')
    if not record.questions:
      found.append(
        f'{place}: the record of generated documents has no questions;'
        ' coverage is unknown.'
      )
  return tuple(found)


def _is_shared(
  key: tuple[str, str, str], groups: Collection[tuple[str, str, str]]
) -> bool:
  """Whether cells without a name are part of the runs of a world and model.

  What they lack is then said of these.
  """
  return not key[2] and any(other[:2] == key[:2] for other in groups)


def _cell_gaps(cells: Sequence[Cell], wanted: Collection[int]) -> list[str]:
  """Gaps within one world, model and run.

  Args:
    cells: its finished ones.
    wanted: seeds of those that are not finished.
  """
  seeds = {cell.seed for cell in cells}
  asked_anywhere = {score.kind for cell in cells for score in cell.scores}
  found = []
  if absent := set(wanted) - seeds:
    found.append(f'no finished cell of {_seeds(absent)}.')
  for condition, name in CONDITIONS.items():
    here = [cell for cell in cells if cell.condition == condition]
    if not here:
      found.append(f'condition {name} was not run.')
      continue
    if absent := seeds - {cell.seed for cell in here}:
      found.append(f'condition {name} lacks {_seeds(absent)}.')
    asked = {score.kind for cell in here for score in cell.scores}
    found += [
      f'condition {name} has no answers to {kind} questions.'
      for kind in sorted(asked_anywhere - asked)
    ]
  if len(seeds) == 1:
    found.append(
      'only one seed was run; the intervals do not include variation between'
      ' seeds.'
    )
  if len(seeds) == 2:
    found.append(
      'only two seeds were run; where seeds differ, intervals of two cover the'
      ' truth in 80 to 88 % of studies, not in 95 %.'
    )
  return found


def _seeds(seeds: set[int]) -> str:
  word = 'seed' if len(seeds) == 1 else 'seeds'
  return f'{word} {", ".join(map(str, sorted(seeds)))}'


def require_main_kinds(
  cells: Sequence[Cell],
  records: Sequence[AugmentationRecord],
  main_kinds: Mapping[str, str],
) -> None:
  """Checks that every world has a main kind, and that it was asked.

  Raises:
    ValueError: one has none, or none that was asked.
  """
  asked: dict[str, set[str]] = {}
  for cell in cells:
    asked.setdefault(cell.world, set()).update(*map(kinds, cell.scores))
  answered = set(asked)
  for record in records:
    asked.setdefault(record.world, set().union(*map(kinds, record.questions)))
  for world, found in sorted(asked.items()):
    if main_kinds.get(world) == '':
      continue
    if world not in main_kinds:
      raise ValueError(
        f'main_kinds {dict(main_kinds)} has no entry for world {world!r}; add'
        f' one of its kinds: {", ".join(sorted(found))}'
      )
    if world in answered and main_kinds[world] not in found:
      raise ValueError(
        f'main_kinds has {main_kinds[world]!r} for world {world!r}, but no'
        f' question of that kind was answered; use one of'
        f' {", ".join(sorted(found))}'
      )
