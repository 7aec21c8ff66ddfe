"""Writes a built corpus for others' tools.

python -m icl_gen.export --config=configs/reversal.py --to=lm_eval
python -m icl_gen.export --config=configs/reversal.py --to=hf
"""

from icl_gen import assets, cli
from icl_gen.exports import hub, lm_eval_tasks
from icl_gen.runs import directories
from icl_gen.storage import corpus_files
from icl_gen.text import context as contexts
from icl_gen.text import tokens
from icl_gen.worlds import catalog

# lm_eval: tasks of lm-evaluation-harness; hf: a folder for a data hub.
FORMS = ('lm_eval', 'hf')


def run(config, workdir, *, to):
  """Writes <workdir>/exports/<corpus>-<to>/; nothing if it is there."""
  world, seed = config.world, config.seed
  source = directories.require_built(
    workdir, world=world, seed=seed, size=config.size
  )
  manifest = corpus_files.read_manifest(source)
  directory = workdir / 'exports' / f'{source.name}-{to}'
  settings = {'corpus': manifest['sha256']}
  if to == 'lm_eval':
    if config.context.kind != 'all' or config.chat:
      raise ValueError(
        f'context.kind={config.context.kind!r} with chat={config.chat} cannot'
        " be exported: lm_eval's tasks have one context for all questions, its"
        " models a chat template of their own; allowed are 'all' and False"
      )
    settings['context'] = dict(config.context.items())
    settings['tokenizer'] = config.tokenizer
  whole = directory.exists()
  if directories.is_finished(directory, 'export', settings, whole=whole):
    return
  corpus = corpus_files.read(source)
  directories.claim(directories.note_beside(directory), 'export', settings)
  if to == 'lm_eval':
    # The context that `evaluate` takes, so that accuracies can be compared.
    tokenizer = tokens.load(config.tokenizer or assets.path('tokenizer.model'))
    context = contexts.build(
      corpus.documents,
      seed=f'{source.name}/context',
      factor=config.context.factor,
      budget=config.context.budget,
      count_tokens=tokenizer.count,
    )
    lm_eval_tasks.write(directory, corpus, context)
  else:
    hub.write(directory, corpus, manifest, about=catalog.describe(world))
  print(f'exported {directory}')


if __name__ == '__main__':
  cli.main(run, choices={'to': FORMS})
