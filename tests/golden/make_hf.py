"""Computes the golden vectors: log-probabilities by Hugging Face.

Run by hand from the root of the repository, in a separate environment (Python
3.11, `pip install torch==2.13.0 transformers==5.23.0 numpy`):

  python tests/golden/make_hf.py

Writes one file per model next to this one. A file holds the architecture
(`config`, JSON), weights under their Hugging Face names (`weight/...`),
`tokens_BxL`, and the log-probabilities of every token after the first, computed
in float32 (`float32`) and in bfloat16 (`bfloat16`). Float32, float16 and
bfloat16 all represent the weights exactly, so all dtypes use the same ones.
"""

import json
import pathlib

import numpy as np
import torch
import transformers

HERE = pathlib.Path(__file__).parent
ROWS, LENGTH = 2, 48

# Rows longer than four windows, grouped heads, local and global layers.
SHAPE = {
  'vocab_size': 256,
  'hidden_size': 32,
  'intermediate_size': 40,
  'num_attention_heads': 4,
  'head_dim': 16,
  'sliding_window': 11,
  'max_position_embeddings': 128,
  'hidden_activation': 'gelu_pytorch_tanh',
  'rms_norm_eps': 1e-6,
  'tie_word_embeddings': True,
}
GEMMA2 = SHAPE | {
  'num_hidden_layers': 4,
  'num_key_value_heads': 2,
  'attn_logit_softcapping': 3.0,
  'final_logit_softcapping': 5.0,
  'layer_types': 2 * ['sliding_attention', 'full_attention'],
  'rope_parameters': {'rope_type': 'default', 'rope_theta': 10_000.0},
}
LOCAL_ROPE = {'rope_type': 'default', 'rope_theta': 10_000.0}
GEMMA3 = SHAPE | {
  'num_hidden_layers': 7,
  'query_pre_attn_scalar': 16,
  'layer_types': [
    *(5 * ['sliding_attention']),
    'full_attention',
    'sliding_attention',
  ],
}
MODELS = {
  'gemma2': ('Gemma2', GEMMA2 | {'query_pre_attn_scalar': 16}),
  # Queries are scaled by width / heads, as in 27B.
  'gemma2_27b': ('Gemma2', GEMMA2 | {'query_pre_attn_scalar': 8}),
  'gemma3_1b': (
    'Gemma3',
    GEMMA3
    | {
      'num_key_value_heads': 1,
      'rope_parameters': {
        'full_attention': {'rope_type': 'default', 'rope_theta': 1e6},
        'sliding_attention': LOCAL_ROPE,
      },
    },
  ),
  # Rotations of global layers are scaled, as in 4B.
  'gemma3_4b': (
    'Gemma3',
    GEMMA3
    | {
      'num_key_value_heads': 2,
      'rope_parameters': {
        'full_attention': {
          'rope_type': 'linear',
          'factor': 8.0,
          'rope_theta': 1e6,
        },
        'sliding_attention': LOCAL_ROPE,
      },
    },
  ),
}
CLASSES = {
  'Gemma2': (transformers.Gemma2Config, transformers.Gemma2ForCausalLM),
  'Gemma3': (transformers.Gemma3TextConfig, transformers.Gemma3ForCausalLM),
}


def make(name: str) -> None:
  """Writes the golden vectors of one model."""
  family, settings = MODELS[name]
  config_class, model_class = CLASSES[family]
  config = config_class(**settings, attn_implementation='eager')
  model = model_class(config).eval()
  rng = np.random.default_rng(sorted(MODELS).index(name))
  weights = {}
  with torch.no_grad():
    for key, weight in model.named_parameters():
      # Activations near 1, and logits that differ so that attention matters.
      size = 0.3 if weight.ndim == 1 or 'embed' in key else 32**-0.5
      drawn = torch.tensor(size * rng.standard_normal(weight.shape))
      weight.copy_(drawn.to(torch.bfloat16).to(torch.float16))
      weights[f'weight/{key}'] = weight.to(torch.float16).numpy()
  tokens_BxL = rng.integers(0, SHAPE['vocab_size'], size=(ROWS, LENGTH))
  logps = {
    str(dtype).removeprefix('torch.'): log_probabilities(
      model.to(dtype), torch.tensor(tokens_BxL)
    )
    for dtype in (torch.float32, torch.bfloat16)
  }
  np.savez_compressed(
    HERE / f'{name}.npz',
    config=json.dumps({'family': family} | settings),
    made_by=f'transformers {transformers.__version__}, torch'
    f' {torch.__version__}',
    tokens_BxL=tokens_BxL.astype(np.int32),
    **logps,
    **weights,
  )


def log_probabilities(model, tokens_BxL) -> np.ndarray:
  """float32[B, L - 1] of every token after the first."""
  with torch.no_grad():
    logits_BxLxV = model(tokens_BxL, use_cache=False).logits.float()
  logps_BxLxV = torch.log_softmax(logits_BxLxV[:, :-1], dim=-1)
  chosen = torch.gather(logps_BxLxV, 2, tokens_BxL[:, 1:, None])
  return chosen[..., 0].numpy()


if __name__ == '__main__':
  for name in MODELS:
    make(name)
    print(HERE / f'{name}.npz')
