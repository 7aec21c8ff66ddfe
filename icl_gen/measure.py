"""Measures in-context inference by kind and context length.

python -m icl_gen.measure --config=configs/measure.py
"""

import collections

from icl_gen import cli
from icl_gen.model import loading, registry
from icl_gen.reporting import statistics
from icl_gen.runs import directories, stages
from icl_gen.scoring import scorer
from icl_gen.storage import files
from icl_gen.text import context as contexts
from icl_gen.worlds import catalog


def run(config, workdir):
  """Writes <workdir>/measure/<model>/in_context.json, and prints it."""
  directory = workdir / 'measure' / config.model
  settings = config.to_dict() | stages.of_model(config)
  directories.check(directory, 'measure', settings)
  result = directory / 'in_context.json'
  if result.exists():
    rows = files.read_json(result)
  else:
    model = loading.load(
      config.model,
      checkpoint=config.checkpoint,
      tokenizer=config.tokenizer,
      dtype=config.dtype,
    )
    rows = []
    for world, grown in config.worlds.items():
      for size in grown.sizes:
        sizes = dict.fromkeys(grown.grows, size) | dict(grown.fixed.items())
        rows += _measure(model, world, sizes, seeds=config.seeds)
        print(f'measured {world} of {grown.grows[0]}={size}', flush=True)
    directories.claim(directory, 'measure', settings)
    files.write_json(result, rows)
  for row in rows:
    print(_line(row))


def _measure(model, world, size, *, seeds) -> list[dict]:
  """One row per kind of question, over the seeds."""
  answered, tokens = collections.defaultdict(dict), []
  for seed in seeds:
    _, corpus = catalog.build(world, seed=seed, **size)
    context = contexts.build(corpus.documents, seed=f'{world}-{seed}')
    noted = contexts.summary(context, corpus.questions, model.tokenizer.count)
    tokens.append(noted['context_tokens'])
    what = f'{world} of {size}'
    registry.require_room(model.name, tokens=noted['row_tokens'], what=what)
    by_kind = collections.defaultdict(list)
    for score in scorer.score(model, corpus.questions, context):
      by_kind[score.kind].append(score)
    for kind, found in by_kind.items():
      answered[kind][seed] = found
  return [
    {
      'world': world,
      'kind': kind,
      'size': size,
      'context_tokens': round(sum(tokens) / len(tokens)),
      'questions': sum(map(len, by_seed.values())),
      'chance': statistics.chance(
        [score for found in by_seed.values() for score in found]
      ),
    }
    | _estimate(by_seed, name=f'{world}/{kind}')
    for kind, by_seed in sorted(answered.items())
  ]


def _estimate(by_seed, *, name) -> dict[str, float]:
  found = statistics.estimate(
    {
      seed: statistics.outcomes(scores, 'sum')
      for seed, scores in by_seed.items()
    },
    name=name,
  )
  return {'accuracy': found.mean, 'low': found.low, 'high': found.high}


def _line(row) -> str:
  return (
    f'{row["world"]:10s} {row["kind"]:12s} {row["context_tokens"]:5d} tokens'
    f'  {row["accuracy"]:.3f} [{row["low"]:.3f}, {row["high"]:.3f}]'
    f'  chance {row["chance"]:.2f}'
  )


if __name__ == '__main__':
  cli.main(run)
