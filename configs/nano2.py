"""Pretrains a nano Gemma by a curriculum that advances by what it measures.

  python -m icl_gen.pretrain --config=configs/nano2.py

A stage ends when the model has each of its skills: when it predicts 90 % of the
words that decide whether a statement is true, in rows with words that no stage
says, both in the forms of pretraining and in development forms. A stage that
does not get there ends after `steps`. Every measurement is a line of
out/pretrain/nano2/metrics.jsonl. A killed run resumes where it was.

Variants: `small` is half the width; `continued` made the embedded nano2:
it starts from the weights of nano, without the stages whose skills they have,
has fewer steps, and no words that are spelt; `first` stops before the number of
facts grows; `tiny` takes only a few steps, to check that everything works.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ml_collections import config_dict

from configs import pretrain
from icl_gen import cli

VARIANTS = ('small', 'continued', 'first', 'tiny')
# The embedded weights have another width, and no first stage, which `tiny` has.
_EXCLUSIVE = (('small', 'continued'), ('continued', 'tiny'))
# What every stage rehearses, next to what it teaches.
REHEARSED = dict(comparisons=0.08, people=0.06, described=0.1, syllogisms=0.06)
_WEIGHTS = dict(decisive_weight=5.0, lookup_weight=5.0)
# Learning rates at the beginning of a stage and after all of its steps. The
# lower ones are worth several points on forms that are not in a stage.
_LOW = (0.006, 0.002)
# Stages whose skills the embedded models have.
_OF_EMBEDDED = ('01_reverse',)
# The steps with which `continued` made the embedded nano2. Reversals and
# inheritance were not there yet when the number of facts grew.
_OF_NANO2 = {
  '02_stated': 600,
  '10_several': 700,
  '11_backwards': 500,
  '12_many': 600,
  '13_long': 600,
}
# The last stage before the number of facts grows.
_HALF = '09_transforms'


def get_config(arg: str = '') -> config_dict.ConfigDict:
  """The recipe; `arg` is a comma-separated list of VARIANTS."""
  variants = cli.parse_variants(arg, VARIANTS, exclusive=_EXCLUSIVE)
  config = pretrain.get_config('nano_small' if 'small' in variants else '')
  config.run = 'nano2_small' if 'small' in variants else 'nano2'
  config.stream = 'nano2'
  # Without what is held out, so that it can be measured.
  config.forms = 'pretraining'
  config.drawn = 0.7
  config.spelt = 0.15
  config.check_every = 200
  config.modes = _BALANCED
  config.stages = _stages()
  if 'continued' in variants:
    config.start = 'nano'
    config.run += '_continued'
    config.spelt = 0.0
    for name in _OF_EMBEDDED:
      del config.stages[name]
    for name, steps in _OF_NANO2.items():
      config.stages[name].steps = steps
  if 'first' in variants:
    for name in list(config.stages):
      if name > _HALF:
        del config.stages[name]
  if 'tiny' in variants:
    config.optimizer.warmup_steps = 1
    config.update(check_every=2, check_tokens=512, report_every=2, save_every=2)
    config.stages = {
      name: dict(config.stages[name].to_dict(), steps=4, rows=8, fewest=2)
      for name in ('01_reverse', '02_stated')
    }
  return config


# Layouts of rows. Lessons spend them on statements: of all words, those that
# decide something teach. Endings have as many augmentation prompts as will be
# asked for.
_ASKING = {
  'context': 0.82,
  'once': 0.06,
  'local': 0.04,
  'global': 0.06,
  'plain': 0.02,
}
_BALANCED = {
  'context': 0.6,
  'once': 0.16,
  'local': 0.08,
  'global': 0.12,
  'plain': 0.04,
}


def _taught(
  steps: int,
  skills: Mapping[str, float],
  *,
  known: Iterable[str] = (),
  rate: tuple[float, float] = _LOW,
  **rows: Any,
) -> dict[str, Any]:
  """A stage that teaches some skills and rehearses those already known.

  Args:
    steps: the most that it takes.
    skills: skill -> its share of what the stage teaches; in any unit.
    known: skills that are rehearsed.
    rate: learning rates.
    **rows: what its rows are like.
  """
  whole = sum(skills.values())
  share = {skill: 0.6 * part / whole for skill, part in skills.items()}
  old = [skill for skill in known if skill not in skills]
  return dict(
    **dict(steps=steps, learning_rate=rate, modes=_ASKING),
    families={**REHEARSED, **{skill: 0.1 / len(old) for skill in old}, **share},
    **dict(skills=tuple(skills), least=0.9, fewest=100, **rows, **_WEIGHTS),
  )


def _stages() -> dict[str, dict]:
  """The stages, by names in their order."""
  short = dict(rows=32, length=128, rounds=2)
  medium = dict(rows=16, length=256, rounds=10)
  wide = dict(rows=8, length=512, rounds=6)
  wider = dict(rows=4, length=1024, rounds=4)
  long = dict(rows=2, length=2048, rounds=2)
  stated = dict(lookup=1, reversed=3)
  one = dict(lookup=1, reversed=2, traced=2, inherited=3)
  bare = dict(bare_traced=1, bare=2)
  deep = dict(deep_traced=1, deep=2)
  hops = (*one, *bare)
  backwards = dict(lookup=1, reversed=2, related=2)
  every = (*hops, 'related', *deep, 'transforms')
  # What the questions of worlds need, among more and more facts.
  longest = dict(**backwards, described=2, inherited=2, comparisons=1)
  named = dict(**backwards, described=2, inherited=2, bare=2)
  stages = {
    '01_reverse': _taught(
      2000, dict(comparisons=1), rate=(0.008,) * 2, facts=(1, 5), **short
    ),
    '02_stated': _taught(1000, stated, facts=(2, 3), **medium),
    '03_names': _taught(
      300, dict(described=1), known=stated, facts=(2, 6), **medium
    ),
    '04_one_hop': _taught(700, one, facts=(2, 3), **medium),
    '05_bare': _taught(400, bare, known=one, facts=(3, 5), **wide),
    '06_more': _taught(600, one, known=bare, facts=(3, 6), **wide),
    '07_backwards': _taught(700, backwards, known=hops, facts=(2, 5), **medium),
    '08_deep': _taught(300, deep, known=hops, facts=(4, 6), **wide),
    '09_transforms': _taught(
      300, dict(transforms=1), known=every, facts=(4, 8), **wide
    ),
    '10_several': _taught(900, named, known=every, facts=(5, 9), **wide),
    '11_backwards': _taught(900, backwards, known=every, facts=(4, 9), **wide),
    '12_many': _taught(900, named, known=every, facts=(8, 14), **wider),
    '13_long': _taught(900, longest, known=every, facts=(12, 24), **wider),
    '14_longer': _taught(500, longest, known=every, facts=(20, 45), **long),
  }
  # Endings have no skill to reach: they take all of their steps.
  balanced = dict(
    **dict(families={**REHEARSED, **dict.fromkeys(every, 0.7 / len(every))}),
    **dict(facts=(8, 70), **_WEIGHTS),
  )
  stages['15_balanced'] = dict(
    steps=300, learning_rate=(0.006, 0.006), **long, **balanced
  )
  stages['16_settle'] = dict(
    **dict(steps=300, learning_rate=(0.006, 0.0), **balanced),
    **dict(rows=1, length=3072, rounds=2),
  )
  return stages
