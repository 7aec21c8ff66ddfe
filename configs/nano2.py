"""Pretrains a nano Gemma by a curriculum that advances by what it measures.

  python -m icl_gen.pretrain --config=configs/nano2.py

A stage ends when the model has each of its skills: when it predicts 90 % of the
words that decide whether a statement is true, in rows with words that no stage
says, both in the forms of pretraining and in development forms. A stage that
does not get there ends after `steps`. Every measurement is a line of
out/pretrain/nano2/metrics.jsonl. A killed run resumes where it was.

Variants: `small` is a third of the width; `continued` starts from the embedded
weights, without the stages whose skills they have; `first` stops after the
stages of one hop; `tiny` takes only a few steps, to check that everything
works.
"""

from collections.abc import Sequence
from typing import Any

from ml_collections import config_dict

from configs import pretrain
from icl_gen import cli

VARIANTS = ('small', 'continued', 'first', 'tiny')
# What every stage rehearses, next to what it teaches.
REHEARSED = dict(comparisons=0.1, people=0.08, described=0.08, syllogisms=0.08)
_WEIGHTS = dict(decisive_weight=5.0, lookup_weight=5.0)
_LOW = (0.006, 0.006)  # learning rates at the beginning and the end
# Stages whose skills the embedded models have.
_OF_EMBEDDED = ('01_reverse',)


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The recipe; `arg` is a comma-separated list of VARIANTS."""
  variants = cli.parse_variants(arg, VARIANTS)
  config = pretrain.get_config('nano_small' if 'small' in variants else '')
  config.run = 'nano2_small' if 'small' in variants else 'nano2'
  config.stream = 'nano2'
  # Without what is held out, so that it can be measured.
  config.forms = 'pretraining'
  config.drawn = 0.7
  config.check_every = 100
  config.modes = {
    'context': 0.6,
    'once': 0.16,
    'local': 0.08,
    'global': 0.12,
    'plain': 0.04,
  }
  config.stages = _stages()
  if 'continued' in variants:
    config.start = 'embedded'
    config.run += '_continued'
    for name in _OF_EMBEDDED:
      del config.stages[name]
  if 'first' in variants:
    for name in list(config.stages):
      if name > '05_more':
        del config.stages[name]
  if 'tiny' in variants:
    config.optimizer.warmup_steps = 1
    config.update(check_every=2, check_rows=4, report_every=2, save_every=2)
    config.stages = {
      name: dict(config.stages[name].to_dict(), steps=4, rows=8, fewest=2)
      for name in ('01_reverse', '02_stated')
    }
  return config


def _taught(
  steps: int,
  skills: Sequence[str],
  *,
  rate: tuple[float, float] = _LOW,
  known: Sequence[str] = (),
  **rows: Any,
) -> dict[str, Any]:
  """A stage that teaches some skills and rehearses those already known."""
  share = {skill: 0.66 / len(skills) for skill in skills}
  old = {skill: 0.2 / len(known) for skill in known if skill not in share}
  return dict(
    **dict(steps=steps, learning_rate=rate),
    families={**REHEARSED, **old, **share},
    **dict(skills=tuple(skills), least=0.9, fewest=200, **rows, **_WEIGHTS),
  )


def _stages() -> dict[str, dict]:
  """The stages, by names in their order."""
  short = dict(rows=32, length=128)
  medium = dict(rows=16, length=256)
  wide = dict(rows=8, length=512)
  stated = ('lookup', 'reversed')
  one = (*stated, 'traced', 'inherited')
  two = (*one, 'bare_traced', 'bare', 'deep_traced', 'deep')
  every = (*two, 'transforms')
  stages = {
    '01_reverse': _taught(
      2000, ('comparisons',), rate=(0.008,) * 2, facts=(1, 5), **short
    ),
    '02_stated': _taught(1500, stated, facts=(2, 4), **medium),
    '03_names': _taught(
      1000, ('described',), known=stated, facts=(2, 5), **short
    ),
    '04_one_hop': _taught(1500, one, known=one, facts=(2, 3), **medium),
    '05_more': _taught(1500, one, known=one, facts=(4, 6), **wide),
    '06_bare': _taught(
      1500,
      ('bare_traced', 'bare'),
      known=one,
      facts=(3, 5),
      **wide,
    ),
    '07_deep': _taught(
      2000,
      ('deep_traced', 'deep'),
      known=two,
      facts=(4, 6),
      **wide,
    ),
    '08_transforms': _taught(
      2500, ('transforms',), known=two, facts=(4, 8), **wide
    ),
    '09_many': _taught(
      2000,
      ('lookup', 'reversed', 'inherited', 'bare'),
      known=every,
      facts=(8, 14),
      rows=4,
      length=1024,
    ),
    '10_long': _taught(
      1200,
      ('comparisons', 'lookup', 'inherited'),
      known=every,
      facts=(12, 40),
      rows=2,
      length=2048,
    ),
  }
  # Endings have no skill to reach: they take all of their steps.
  balanced = {**REHEARSED, **dict.fromkeys(every, 0.66 / len(every))}
  stages['11_balanced'] = dict(
    **dict(steps=600, learning_rate=_LOW, families=balanced),
    **dict(rows=2, length=2048, facts=(4, 60), **_WEIGHTS),
  )
  stages['12_settle'] = dict(
    **dict(steps=600, learning_rate=(0.006, 0.0), families=balanced),
    **dict(rows=1, length=3072, facts=(8, 70), **_WEIGHTS),
  )
  return stages
