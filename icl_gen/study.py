"""Runs a whole study: every world x model x seed x condition, then the report.

  python -m icl_gen.study --config=configs/study.py
  python -m icl_gen.study --config=configs/causal.py
  python -m icl_gen.study --config=configs/study.py:custom --documents=DIRECTORY

Complete stages are kept: adding seeds, models or conditions runs only what is
new. Two of the same studies at once share the stages between them. With
--only=<world>-<model>-s<seed>, one unit of the study is run, without the
report; `python -m launch` runs units on several machines. With --verify,
nothing is run or changed: all files of the study are read back, and a line for
each that is damaged or missing says how to repair it. With
--propose_questions, the model only writes questions about your documents into
a file; edit it before the study uses it.
"""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Sequence

import ml_collections

from icl_gen import cli, processes, signals
from icl_gen.runs import (
  directories,
  own_documents,
  pretrainings,
  progress,
  reported,
  stages,
  studies,
  units,
  verification,
)
from icl_gen.runs.stage import Stage
from icl_gen.runs.studies import Job, Study
from icl_gen.storage import corpus_files, working_copies
from icl_gen.training import limits
from icl_gen.worlds import catalog

Door = Callable[[ml_collections.FrozenConfigDict, pathlib.Path], None]


def run(
  config: ml_collections.FrozenConfigDict,
  workdir: pathlib.Path,
  *,
  verify: bool = False,
  propose_questions: bool = False,
  only: str = '',
  documents: str = '',
) -> None:
  """Writes <workdir>/study/{corpora,runs,report}, or verifies what is there."""
  if documents:
    config = ml_collections.FrozenConfigDict(
      own_documents.of_folder(config.to_dict(), documents)
    )
  whole = studies.read(config.to_dict())
  root = workdir / whole.name
  if whole.pretraining:
    working_copies.require_local(root, 'a study that pretrains its models')
  if verify:
    _alone(lambda: _verify(whole, root))
    return
  study = units.of(whole, only) if only else whole
  own_documents.warn(study)
  left = studies.left(study, root)
  for job in studies.jobs(study, root):
    with _flags_of(study, job):
      studies.check(job, root)
  if left:
    _require_models(study, left)
  if propose_questions:
    _alone(lambda: _propose(study, root))
    return
  _alone(lambda: units.record(whole, root))
  if left:
    _alone(lambda: _remove_report(study, root))
    working_copies.follow(root)  # it has looked at what others did meanwhile
    _work(study, left, root)
  if only:
    print(f'{only} is complete')
    return
  _alone(lambda: _report(config, workdir, reported.stage(study, root)))


def _alone(work: Callable[[], None]) -> None:
  """Does what is not computed by several processes together."""
  with processes.alone() as is_ours:
    if is_ours:
      work()


def _report(
  config: ml_collections.FrozenConfigDict, workdir: pathlib.Path, report: Stage
) -> None:
  if not report.is_finished():
    # Imported here, so that a complete study answers without loading JAX or
    # matplotlib.
    from icl_gen import report as report_door

    report_door.run(config, workdir)
  print(f'the study is finished: {report.result}')


def _verify(study: Study, root: pathlib.Path) -> None:
  with signals.importing():
    from icl_gen.model import checkpoints
    from icl_gen.training import states

  readers = verification.Readers(
    weights=checkpoints.damage, states=states.damaged
  )
  if found := verification.verify(study, root, readers):
    raise ValueError(
      f'{found} damaged or missing: run the commands above, if there are any,'
      ' and then the study again'
    )


def _propose(study: Study, root: pathlib.Path) -> None:
  """Writes questions about the documents, for their user to choose from."""
  path = own_documents.proposals_file(root)
  settings = own_documents.experiment(study)
  # Nothing is built: with the questions, the corpus will be another one.
  size = dict(settings.size)
  _, corpus = catalog.build(settings.world, seed=settings.seed, **size)
  with signals.importing():
    from icl_gen.interface import proposals
    from icl_gen.model import loading

  model = loading.load(
    settings.model,
    checkpoint=settings.checkpoint,
    tokenizer=stages.tokenizer(settings),
    dtype=settings.dtype,
  )
  rows = proposals.propose(model, corpus.documents, seed=settings.seed)
  own_documents.write_questions(path, rows)
  print(
    f'proposed {len(rows)} questions: {path}\ndelete and edit lines, then move'
    f' it to {size["path"]}/{own_documents.QUESTIONS}'
  )


def _remove_report(study: Study, root: pathlib.Path) -> None:
  """Removes a report that covers fewer cells than there will be."""
  old = reported.stage(study, root)
  if not old.result.exists():
    return
  with old.guard():
    # Another process may have finished the study and its report meanwhile.
    if studies.left(study, root):
      old.result.unlink(missing_ok=True)


def _work(study: Study, left: Sequence[Job], root: pathlib.Path) -> None:
  doors = _doors(working_copies.cache(root / 'compiled'))

  def call(job: Job) -> None:
    given = job.recipe or dataclasses.asdict(job.experiment)
    values = ml_collections.FrozenConfigDict(given)
    with _flags_of(study, job):
      if job.door == 'build':
        _alone(lambda: doors['build'](values, root))
        working_copies.follow(job.result.parent)
      else:
        doors[job.door](values, root)

  # All worlds first: most mistakes in a config show there.
  progress.work(
    [job for job in left if job.door == 'build'],
    call,
    can_start=studies.can_start,
  )
  for name, experiment in study.experiments.items():
    kind = study.main_kinds[name]
    asks = catalog.asks(experiment.world, experiment.size)
    for seed in study.seeds if kind and asks else ():
      source = directories.corpus(root, world=experiment.world, seed=seed)
      corpus_files.require_kind(source, kind)
  progress.work(
    [job for job in left if job.door != 'build'],
    call,
    can_start=studies.can_start,
  )


def _require_models(study: Study, left: Sequence[Job]) -> None:
  """Checks now what a job would find out hours later."""
  for job in left:
    if not job.needs_weights:
      studies.require_weights(job.experiment)
    if job.door == 'train':
      with _flags_of(study, job):
        limits.require_sensible(
          dataclasses.asdict(job.experiment.train), model=job.experiment.model
        )
  if study.pretraining:
    return
  with signals.importing():
    from icl_gen.model import loading

  checked = set()
  for job in left:
    of = job.experiment
    used = of.model, of.checkpoint, of.tokenizer, of.dtype
    if used not in checked and not job.needs_weights:
      model, checkpoint, tokenizer, dtype = used
      with _flags_of(study, job):
        loading.require(
          model, checkpoint=checkpoint, tokenizer=tokenizer, dtype=dtype
        )
      checked.add(used)


@contextlib.contextmanager
def _flags_of(study: Study, job: Job) -> Iterator[None]:
  """In this block, messages name the study's flags."""
  try:
    yield
  except ValueError as error:
    if job.door == 'pretrain':
      raise ValueError(pretrainings.flags(str(error))) from error
    told = studies.flags(str(error), study, job.experiment.world)
    raise ValueError(told) from error


def _doors(compiled: pathlib.Path) -> dict[str, Door]:
  """The doors; cells that share a program compile it once."""
  with signals.importing():
    import jax

  from icl_gen import augment, build, evaluate, pretrain, train

  jax.config.update('jax_compilation_cache_dir', str(compiled))
  return {
    'build': build.run,
    'pretrain': pretrain.run,
    'augment': augment.run,
    'train': train.run,
    'evaluate': evaluate.run,
  }


if __name__ == '__main__':
  cli.main(
    run,
    together=True,
    tolerant='verify',
    switches={
      'verify': 'Read all files back, say what is damaged; change nothing.',
      'propose_questions': 'Only write questions about your own documents.',
    },
    texts={
      'only': 'One unit, <world>-<model>-s<seed>, without the report.',
      'documents': 'The folder of your own documents, with study.py:custom.',
    },
  )
