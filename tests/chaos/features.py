"""Keys that belong together, with values that a user could give them.

Hostile values alone are refused one by one; what breaks when features meet is
found by values that are allowed, or nearly.
"""

from icl_gen.runs import directories, experiments
from tests.chaos import settings
from tests.chaos.stages import ROOT

_EXAMPLE = ROOT / 'configs/custom_example'
_SHARES = (0.0, 0.05, 0.2, 0.5, 0.99, 1.0)
_COUNTS = (0, 1, 2, 3, 4, 8, 9, 1000)
_NAMES = ('', 'a', 'lr_0.001', settings.NAME, 'a,b', '-a', 'a+b', 'a' * 100)
_NAMES += ('chosen', '..', 'a/b')
_REPLAYED = (settings.TEXTS, _EXAMPLE, 'x', '/dev/null', ROOT / 'configs', '')

# Keys -> values to draw from; one group is given to a command at a time.
GROUPS = (
  {
    'train.mask': experiments.CHOICES['train.mask'],
    'train.mask_share': _SHARES,
    'train.mask_copies': _COUNTS,
    'train.loss_on': experiments.CHOICES['train.loss_on'],
  },
  {'train.replay': _REPLAYED, 'train.replay_share': _SHARES},
  {
    'train.evaluate_every': _COUNTS,
    'train.evaluate_share': _SHARES,
    'train.evaluate_kinds': (
      *('', 'reversal', 'forward', 'reversal,forward', 'x', ',', 'all'),
      *('reversal,reversal', ' reversal'),
    ),
    'train.evaluate_by': experiments.CHOICES['train.evaluate_by'],
    'train.stop_after': _COUNTS,
    'train.keep_best': (True, False),
    'train.save_every': _COUNTS,
  },
  {
    'train.freeze': experiments.CHOICES['train.freeze'],
    'train.lora_rank': _COUNTS,
    'train.lora_on': experiments.CHOICES['train.lora_on'],
    'train.optimizer': experiments.CHOICES['train.optimizer'],
  },
  {
    'train.reverse': experiments.CHOICES['train.reverse'],
    'train.splitting': experiments.CHOICES['train.splitting'],
    'train.mask': experiments.CHOICES['train.mask'],
    'train.length': (0, 1, 8, 48, 3072, 3073),
  },
  {'run': _NAMES, 'augment.name': _NAMES, 'condition': directories.CONDITIONS},
  {
    'world': (
      *('reversal_forms', 'syllogism_forms', 'reversal_forms_forms'),
      *('_forms', 'custom_forms', 'custom'),
    ),
    'context.kind': experiments.CHOICES['context.kind'],
    'context.budget': _COUNTS,
  },
)
# Of a study alone.
SWEEPS = (
  *('', ' ', '=', 'x', 'x=1', 'train.steps', 'train.steps=', 'run=a,b'),
  *('train.steps=8,4', 'train.steps=4,4', 'train.steps=0', 'train.steps=1e1'),
  *('train.freeze=none,embeddings', 'train.keep_best=True,False'),
  *('train.learning_rate=2e-3,nan', 'train.learning_rate=2e-3,0.002'),
  *('context.kind=all,oracle', 'context.factor=3,1000000', 'train.keep=1,2'),
  *('train.replay=a,b', 'train.evaluate_every=0,4', 'train.mask=none,x'),
  *('augment.local_samples=12,0', 'augment.temperature=0,0.7 train.clip=1'),
  'train.steps=' + ','.join(map(str, range(1, 1002))),
  'train.steps=1,2 train.warmup_steps=1,3',
  'train.steps=1 train.steps=2',
)


def draw(rng, keys, hostile):
  """Draws keys of one group, each with a value; most are allowed.

  Args:
    rng: the draws.
    keys: those that the config has; in a study's, an experiment's keys begin
      with its place.
    hostile: values for any key.

  Returns:
    (key, value) of some keys, maybe none.
  """
  if 'sweep' in keys and rng.random() < 0.3:
    return [('sweep', rng.choice(SWEEPS))]
  found = []
  for name, values in rng.choice(GROUPS).items():
    fits = [k for k in keys if k == name or k.endswith(f'.{name}')]
    if fits and rng.random() < 0.6:
      value = rng.choice(values if rng.random() < 0.9 else hostile)
      found.append((rng.choice(fits), value))
  return found
