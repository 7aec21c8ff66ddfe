"""Measures in-context accuracy by kind of question and context length.

python -m icl_gen.measure --config=configs/measure.py
"""

import collections
import pathlib
from collections.abc import Sequence
from typing import Any

import ml_collections

from icl_gen import cli, signals
from icl_gen.reporting import summary
from icl_gen.runs import experiments, models, stages
from icl_gen.runs.stage import Stage
from icl_gen.storage import files
from icl_gen.text import context as contexts
from icl_gen.text.forms import split
from icl_gen.types import Score
from icl_gen.worlds import catalog

Row = dict[str, Any]


def run(config: ml_collections.FrozenConfigDict, workdir: pathlib.Path) -> None:
  """Writes <workdir>/measure/<model>/in_context.json, and prints it."""
  given = {
    'checkpoint': config.checkpoint,
    'tokenizer': config.tokenizer,
    'dtype': config.dtype,
  }
  models.require_known(config.model)
  _require_measurable(config)
  settings = config.to_dict() | stages.of_model(config.model, **given)
  stage = Stage('measure', workdir / 'measure' / config.model, settings)

  def measure() -> None:
    # Imported here, so that mistakes and finished work answer at once.
    with signals.importing():
      from icl_gen.model import loading

    model = loading.load(config.model, **given)
    rows = []
    for world, grown in config.worlds.items():
      for value in grown.sizes:
        size = dict.fromkeys(grown.grows, value) | grown.fixed.to_dict()
        for forms in config.forms:
          told = size | ({} if forms == 'seen' else {'forms': forms})
          found = _measure(model, world, told, seeds=config.seeds)
          rows += [row | {'forms': forms} for row in found]
        print(f'measured {world} with {grown.grows[0]}={value}', flush=True)
    stage.begin()
    files.write_sealed_json(stage.result, {'rows': rows})
    stage.finish()

  stage.complete(measure)
  for row in files.read_sealed_json(stage.result)['rows']:
    print(_line(row))
  print(f'the same with more digits: {stage.result}')


def _require_measurable(config: ml_collections.FrozenConfigDict) -> None:
  """Checks what is measured: an empty list would be an empty result.

  Raises:
    ValueError: there is nothing to measure, or something twice.
  """
  of_forms = f'one or more of {", ".join(split.PARTS)}'
  _require_once('forms', config.forms, of_forms)
  if not set(config.forms) <= set(split.PARTS):
    raise ValueError(f'--config.forms={config.forms}; give {of_forms}')
  _require_once('seeds', config.seeds, 'one or more whole numbers')
  for seed in config.seeds:
    if type(seed) is not int:
      raise ValueError(f'--config.seeds={config.seeds}; give whole numbers')
    experiments.require_number('seed', seed, flag='seeds')
  for world, grown in config.worlds.items():
    above, keys = f'worlds.{world}.', tuple(grown.grows)
    if not keys or not all(isinstance(key, str) for key in keys):
      raise ValueError(
        f'--config.{above}grows={grown.grows!r}; give one or more keys of the'
        " world's size"
      )
    if fixed := sorted(set(keys) & set(grown.fixed)):
      raise ValueError(
        f'--config.{above}grows={grown.grows!r}: {fixed[0]!r} is fixed as well,'
        f' in {above}fixed; leave it out of one of them'
      )
    experiments.require_size(grown.fixed.to_dict(), above=f'{above}fixed.')
    _require_once(f'{above}sizes', grown.sizes, 'one or more sizes')
    for value in grown.sizes:
      experiments.require_size({'sizes': value}, above=above)


def _require_once(name: str, values: Sequence[Any], what: str) -> None:
  """Checks that there are values, each of them once.

  Args:
    name: the key of the config.
    values: what it has.
    what: is allowed.

  Raises:
    ValueError: there are none, or one is given twice.
  """
  if not values or len(set(values)) < len(values):
    raise ValueError(f'--config.{name}={values}; give {what}, each once')


def _measure(
  model: Any,
  world: str,
  size: dict[str, Any],
  *,
  seeds: Sequence[int],
) -> list[Row]:
  """One row per kind of question, over the seeds."""
  with signals.importing():
    from icl_gen.reporting import statistics
    from icl_gen.scoring import scorer

  answered = collections.defaultdict[str, dict[int, list[Score]]](dict)
  tokens = []
  for seed in seeds:
    _, corpus = catalog.build(world, seed=seed, **size)
    context = contexts.build(corpus.documents, seed=f'{world}-{seed}')
    noted = contexts.summary(context, corpus.questions, model.tokenizer.count)
    tokens.append(noted['context_tokens'])
    what = f'{world} with {size}'
    models.require_room(model.name, tokens=noted['row_tokens'], what=what)
    for score in scorer.score(model, corpus.questions, context):
      answered[score.kind].setdefault(seed, []).append(score)
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
    | _estimate(by_seed)
    for kind, by_seed in sorted(answered.items())
  ]


def _estimate(by_seed: dict[int, list[Score]]) -> dict[str, float]:
  answered = [(seed, score) for seed in by_seed for score in by_seed[seed]]
  found = summary.accuracy(
    [score for _, score in answered], seeds=[seed for seed, _ in answered]
  )
  return {'accuracy': found.mean, 'low': found.low, 'high': found.high}


def _line(row: Row) -> str:
  return (
    f'{row["world"]:10s} {row["kind"]:12s} {row["forms"]:11s}'
    f' {row["context_tokens"]:5d} tokens'
    f'  {row["accuracy"]:.3f} [{row["low"]:.3f}, {row["high"]:.3f}]'
    f'  chance {row["chance"]:.2f}'
  )


if __name__ == '__main__':
  cli.main(run)
