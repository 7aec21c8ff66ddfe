"""What training settings may be; told before anything is begun."""

import math
from typing import Any

# Setting -> least value, and whether it may be that value.
_LEAST = {
  'steps': (1, True),
  'batch_size': (1, True),
  'length': (2, True),
  'learning_rate': (0, False),
  'warmup_steps': (0, True),
  'final_share': (0, True),
  'weight_decay': (0, True),
  'clip': (0, False),
}


def require_sensible(settings: Any, *, seed: int) -> None:
  """Checks numbers with which training would fail, or learn nothing.

  Raises:
    ValueError: names the first that is out of its range, or not a number.
  """
  for name, (least, included) in _LEAST.items():
    value = settings[name]
    above = value >= least if included else value > least
    if not above or not math.isfinite(value):
      raise ValueError(
        f'{name}={value}; give {"" if included else "more than "}{least}'
        f'{" or more" if included else ""}'
      )
  if seed < 0:
    raise ValueError(f'seed={seed}; give 0 or more')
