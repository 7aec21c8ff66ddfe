"""Settings of the released Gemma models, as variants of the configs.

The configs' own settings are those of the nano models. None of these has been
run on released weights: they are what compiles and fits (see `compile`).
"""

from typing import Any

# Rows of a batch suit 1,024 tokens a row on four devices or more; give
# --config.train.batch_size for others.
_SETTINGS: dict[str, Any] = {
  'dtype': 'bfloat16',
  'context.factor': 1,
  'train.length': 1024,
  'train.batch_size': 32,
  'train.learning_rate': 1e-5,
  'train.fsdp': 0,
  # Keeps least. Whether 'dots' takes fewer cycles in a loop is not compared.
  'train.remat': 'full',
  'train.scan': True,
}
MODELS = (
  'gemma2_2b',
  'gemma2_9b',
  'gemma2_27b',
  'gemma3_270m',
  'gemma3_1b',
  'gemma3_4b',
  'gemma3_12b',
  'gemma3_27b',
)


def settings(model: str) -> dict[str, Any]:
  """Dotted key -> value, for `ConfigDict.update_from_flattened_dict`."""
  return _SETTINGS | {'model': model}
