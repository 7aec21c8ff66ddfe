"""What a study asks fine-tuned models once more: questions in context.

  other_worlds  those of every other world of the study, after its documents:
                has the model forgotten how to infer in context?

Each is a cell of condition 'icl' whose weights are those of a fine-tuned cell,
'after_reversal_ft'. The cell as configured has the same questions and context,
and the weights that fine-tuning started from.
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence

from icl_gen.runs import directories, stages
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import result
from icl_gen.storage import files

OTHER_WORLDS = 'other_worlds'
ALL = (OTHER_WORLDS,)
# What the names of its runs start with.
_AFTER = 'after'
NAMES = (_AFTER,)


def require_possible(
  asked: Sequence[str],
  *,
  worlds: Collection[str],
  conditions: Collection[str],
  choose: bool,
) -> None:
  """Checks that a study can ask its fine-tuned models again.

  Args:
    asked: what it asks, of `ALL`.
    worlds: of the study.
    conditions: of the study.
    choose: whether its report chooses among runs.

  Raises:
    ValueError: an unknown name, nothing that is fine-tuned, no other world, or
      a choice, for which these runs would be candidates.
  """
  flag = f'--config.after_training={tuple(asked)}'
  if unknown := sorted(set(asked) - set(ALL)):
    raise ValueError(
      f'{flag}: unknown {unknown[0]!r}; allowed are {", ".join(ALL)}'
    )
  if asked and not set(conditions) & set(directories.TRAINED):
    raise ValueError(
      f'{flag}: no condition of {", ".join(conditions)} trains; add'
      f' {" or ".join(directories.TRAINED)} to --config.conditions'
    )
  if asked and choose:
    raise ValueError(
      f'{flag}: a report must not choose among these runs; give'
      ' --config.choose=False'
    )
  if OTHER_WORLDS in asked and len(worlds) < 2:
    raise ValueError(
      f'{flag}: there is no world but {", ".join(worlds)}; give a study with'
      ' several'
    )


def cells(
  asked: Sequence[str],
  trained: Experiment,
  *,
  of: Iterable[Experiment],
  root: files.Path,
) -> Iterator[Experiment]:
  """The cells in which a fine-tuned model is asked again.

  Args:
    asked: what the study asks, of `ALL`.
    trained: the cell that the model is fine-tuned in.
    of: the experiments of the study.
    root: the study's own directory.

  Raises:
    ValueError: the name of a run would be too long.
  """
  others = (one for one in of if one.world != trained.world)
  for experiment in others if OTHER_WORLDS in asked else ():
    yield _again(experiment, trained, name=_AFTER, root=root)


def _again(
  experiment: Experiment, trained: Experiment, *, name: str, root: files.Path
) -> Experiment:
  """An experiment's questions in context, with the weights of a cell."""
  # One setting as reports read names, so that it is no other run's part.
  of_run = f'{trained.world}_{trained.condition},{trained.run}'.rstrip(',')
  run = f'{name}_{of_run.replace(",", "-")}'
  directories.require_name(run, flag='run')
  return dataclasses.replace(
    experiment,
    condition='icl',
    run=run,
    model=trained.model,
    seed=trained.seed,
    checkpoint=str(result('train', stages.cell(trained, root))),
    tokenizer=stages.tokenizer(trained),
    dtype=trained.dtype,
  )
