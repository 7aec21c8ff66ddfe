"""What a study asks fine-tuned models once more: questions in context.

  other_worlds  those of every other world of the study, after its documents:
                has the model forgotten how to infer in context?
  recalled      those of its own world, after what it recalls: first with all
                that it wrote, then with what all samples of a cue agree in.

Each is a cell of condition 'icl' whose weights are those of a fine-tuned cell,
'after_reversal_ft', 'recalled_ft' or 'recalled_ft-agree_4'. The cell as
configured has the same questions, and the weights before fine-tuning.
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence

from icl_gen.reporting.records import RECALLED
from icl_gen.runs import directories, stages
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import result
from icl_gen.storage import files

OTHER_WORLDS = 'other_worlds'
ALL = (OTHER_WORLDS, RECALLED)
# What the names of its runs start with.
_AFTER = 'after'
NAMES = (_AFTER, RECALLED)


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
  condition = trained.condition
  for experiment in of:
    if experiment.world != trained.world:
      if OTHER_WORLDS in asked:
        name = f'{_AFTER}_{trained.world}_{condition}'
        yield _again(experiment, trained, name=name, root=root)
    elif RECALLED in asked:
      for agree in sorted({1, experiment.context.documents} - {0}):
        context = dataclasses.replace(
          experiment.context, kind=RECALLED, agree=agree
        )
        yield _again(
          dataclasses.replace(experiment, context=context),
          trained,
          name=f'{RECALLED}_{condition}' + f'-agree_{agree}' * (agree > 1),
          root=root,
        )


def _again(
  experiment: Experiment, trained: Experiment, *, name: str, root: files.Path
) -> Experiment:
  """An experiment's questions in context, with the weights of a cell."""
  # One setting as reports read names, so that it is no other run's part.
  run = '-'.join(filter(None, (name, trained.run.replace(',', '-'))))
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
