"""Exports a built corpus, or a cell's weights, in the formats of other tools.

python -m icl_gen.export --config=configs/reversal.py --to=lm_eval
python -m icl_gen.export --config=configs/reversal.py --to=hf
python -m icl_gen.export --config=configs/reversal.py --to=safetensors
"""

import pathlib
from typing import Any

import ml_collections

from icl_gen import assets, cli, signals
from icl_gen.exports import (
  hub_folder,
  hugging_face_tokenizer,
  lm_eval_tasks,
)
from icl_gen.runs import (
  development,
  directories,
  experiments,
  in_context,
  models,
  stages,
)
from icl_gen.runs.experiments import Experiment
from icl_gen.runs.stage import Stage
from icl_gen.storage import corpus_files, files
from icl_gen.text import tokens
from icl_gen.text.context import Context
from icl_gen.types import Corpus
from icl_gen.worlds import catalog

# lm_eval: tasks of lm-evaluation-harness; hf: the corpus as a folder for a data
# hub; safetensors: the weights as a folder for transformers.
OF_CORPORA = ('lm_eval', 'hf')
FORMS = (*OF_CORPORA, 'safetensors')


def run(
  config: ml_collections.FrozenConfigDict, workdir: pathlib.Path, *, to: str
) -> None:
  """Writes <workdir>/exports/<corpus or cell>-<to>/, unless it exists."""
  experiment = experiments.read(config.to_dict())
  if to == 'safetensors':
    _export_weights(experiment, workdir)
  else:
    _export_corpus(experiment, workdir, to=to)


def _export_corpus(
  experiment: Experiment, workdir: pathlib.Path, *, to: str
) -> None:
  wanted, chat = experiment.context, experiment.chat
  source = stages.require_built(experiment, workdir)
  sha256 = corpus_files.read_manifest(source)['sha256']
  settings: dict[str, Any] = {'corpus': sha256}
  if to == 'lm_eval':
    if wanted.kind not in ('all', 'fitting') or chat:
      raise ValueError(
        f'--config.context.kind={wanted.kind!r} with --config.chat={chat}'
        ' cannot be exported: tasks of lm_eval have one context for all'
        ' questions, and its models apply their own chat template; allowed are'
        " 'all' and False"
      )
    settings['context'] = in_context.recorded(experiment)
    settings['tokenizer'] = stages.tokenizer(experiment)
    settings |= stages.of_development(experiment)
  name = f'{source.name}-{to}'
  if to == 'lm_eval':  # its contexts are those of a run
    name = directories.named(name, experiment.run)
  directory = workdir / 'exports' / name
  stage = Stage('export', directory, settings, (source,))
  stage.complete(lambda: _write_corpus(experiment, stage, to))


def _write_corpus(experiment: Experiment, stage: Stage, to: str) -> None:
  (source,) = stage.inputs
  corpus, directory = corpus_files.read(source), stage.directory
  if to == 'lm_eval':
    corpus = development.tested(corpus, experiment)
    context = _one_context(experiment, corpus, source.name)

    stage.begin()
    lm_eval_tasks.write(directory, corpus, context)
  else:
    stage.begin()
    manifest = corpus_files.read_manifest(source)
    about = catalog.describe(experiment.world)
    hub_folder.write(directory, corpus, manifest, about=about)
  stage.finish()
  print(f'exported {directory}')


def _one_context(experiment: Experiment, corpus: Corpus, name: str) -> Context:
  """The context of all questions."""
  path = stages.tokenizer(experiment) or assets.path('tokenizer.model')
  context = in_context.context(
    experiment, corpus, name=name, count_tokens=tokens.load(path).count
  )
  if not isinstance(context, Context):
    raise ValueError(
      'the documents do not fit into one context, and tasks of lm_eval have one'
      ' for all questions; give a greater --config.context.budget, or'
      ' --config.context.kind=all with a --config.context.factor'
    )
  return context


def _export_weights(experiment: Experiment, workdir: pathlib.Path) -> None:
  models.require_plain(experiment.model, door='export --to=safetensors')
  stage = stages.export_weights(experiment, workdir)
  checkpoint = stages.checkpoint(experiment, workdir)
  stage.complete(lambda: _write_weights(experiment, stage, checkpoint))


def _write_weights(
  experiment: Experiment, stage: Stage, checkpoint: str
) -> None:
  # Imported here, so that mistakes and finished work answer at once.
  with signals.importing():
    from icl_gen.model import loading, safetensors_folder

  path = stages.tokenizer(experiment) or assets.path('tokenizer.model')
  model = loading.load(
    experiment.model,
    checkpoint=checkpoint,
    tokenizer=stages.tokenizer(experiment),
    dtype=experiment.dtype,
  )

  stage.begin()
  with files.atomic_write(stage.directory) as partial:
    partial.mkdir()
    safetensors_folder.write(
      partial,
      model.params,
      model.module.config,
      positions=models.longest(model.name),
      stops=model.tokenizer.end_ids,
    )
    content = pathlib.Path(path).read_bytes()
    hugging_face_tokenizer.write(partial, content)
  stage.finish()
  print(f'exported {stage.directory}')


if __name__ == '__main__':
  cli.main(run, choices={'to': FORMS})
