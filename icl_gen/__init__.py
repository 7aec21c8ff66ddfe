"""In-context learning against fine-tuning: a controlled study with Gemma.

  import icl_gen as ig

  model = ig.load('nano')
  world = ig.world('reversal')
  ig.score(model, world.questions, context=world.documents)

The functions are described in docs/python.md; they are imported when they are
used, so that `import icl_gen` stays light.
"""

import sys
from typing import TYPE_CHECKING, Any

from icl_gen import signals

if TYPE_CHECKING:
  from icl_gen.interface.functions import (
    audit,
    finetune,
    infer,
    load,
    question,
    score,
    world,
  )

__all__ = [
  'audit',
  'finetune',
  'infer',
  'load',
  'question',
  'score',
  'world',
]

# In `python -m icl_gen.<door>`, this file runs before all other imports; only
# then is argv[0] still '-m'.
if sys.argv[:1] == ['-m']:
  signals.end_while_importing()


def __getattr__(name: str) -> Any:
  if name not in __all__:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  from icl_gen.interface import functions

  return getattr(functions, name)


def __dir__() -> list[str]:
  return sorted([*globals(), *__all__])
