"""Random weights for a nano Gemma of two layers."""

import numpy as np

from icl_gen.model import checkpoints, initialisation, registry
from icl_gen.text import tokens


def write(path, *, tokenizer):
  """Writes random weights in which the end-of-text token is often likely."""
  module = registry.make_module('nano')
  params = initialisation.make_params(module, seed=0)
  table_VxD = np.array(params['embedder']['input_embedding'])
  nano = tokens.load(tokenizer)
  # Logits of this token get a standard deviation of 6.
  table_VxD[nano.eos_id] *= 6 / (table_VxD.std() * table_VxD.shape[1] ** 0.5)
  params['embedder']['input_embedding'] = table_VxD
  checkpoints.save_params(path, params)
