"""Takes training steps with one library, and times them.

Called by training.py, with a Python that has the library:

  PYTHONPATH=. PYTHON tests/bench/training_steps.py LIBRARY DIRECTORY \
    --steps=4 --json=FILE

DIRECTORY has the weights as a Hugging Face folder and ids.npy, int32[B, L],
without 0, which is padding. Each library takes the steps of its own training
loop, over all weights in float32, with AdamW; the loss is the mean over all
tokens but the first of each row.
"""

import argparse
import dataclasses
import json
import pathlib
import resource
import sys
import time
from unittest import mock

import numpy as np

# AdamW's; optax and torch have the same other defaults but for `b2`, which
# costs nothing, and weight decay, which is the same here.
LEARNING_RATE, WEIGHT_DECAY = 1e-5, 1e-4


def icl_gen(folder, model, ids_BxL):
  """The step that `python -m icl_gen.train` takes."""
  import jax.numpy as jnp

  from icl_gen.model import registry
  from icl_gen.runs.experiments import Training
  from icl_gen.training import fine_tuning
  from icl_gen.types import Batch

  settings = Training(
    steps=100,
    batch_size=len(ids_BxL),
    length=ids_BxL.shape[1],
    learning_rate=LEARNING_RATE,
    weight_decay=WEIGHT_DECAY,
    warmup_steps=0,
    final_share=1.0,
    clip=1e9,
  )
  module = registry.make_module(model)
  plan = fine_tuning.make_plan(settings)
  params = _params(folder, model, module)
  run = fine_tuning.start(module, params, settings, plan, seed=0)
  ones_BxL = np.ones_like(ids_BxL)
  batch = Batch(
    tokens_BxL=jnp.asarray(ids_BxL),
    weights_BxL=jnp.asarray(_but_first(ones_BxL), jnp.float32),
    positions_BxL=jnp.asarray(np.cumsum(ones_BxL, axis=1) - 1),
    segments_BxL=jnp.asarray(ones_BxL),
  )
  state = run.state

  def take():
    nonlocal state
    state, metrics = run.step(state, batch)
    return float(metrics['loss'])

  return take


def _params(folder, model, module):
  """Reads the weights, in the layout of the gemma package, as ours is."""
  import jax

  from icl_gen.model import initialisation, safetensors_folder

  shapes = jax.eval_shape(lambda: initialisation.make_params(module, seed=0))
  here = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  like = jax.tree.map(
    lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=here),
    shapes,
  )
  return safetensors_folder.load_params(
    folder, like, model=model, architecture=module.config
  )


def _but_first(ones_BxL):
  return np.concatenate([0 * ones_BxL[:, :1], ones_BxL[:, 1:]], axis=1)


def kauldron(folder, model, ids_BxL):
  """kauldron's TrainStep with gemma's Linen model, as gemma's examples do."""
  import jax
  import jax.numpy as jnp
  import optax
  from etils import enp
  from kauldron import checkpoints, kd

  from icl_gen.model import registry

  module = registry.make_module(model)
  params = _params(folder, model, module)
  loss = kd.losses.SoftmaxCrossEntropyWithIntLabels(
    logits='preds.logits', labels='batch.target', mask='batch.loss_mask'
  )
  step = kd.train.TrainStep(
    model=module.clone(tokens='batch.input'),
    optimizer=optax.adamw(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    rng_streams=kd.train.RngStreams(seed=42),
    sharding=kd.sharding.ShardingStrategy(),
    init_transform=checkpoints.NoopTransform(),
    aux=kd.train.Auxiliaries(
      losses={'xentropy': loss}, metrics={}, summaries={}
    ),
  )
  ones_BxL = np.ones_like(ids_BxL)
  batch = {
    'input': jnp.asarray(ids_BxL),
    'target': jnp.asarray(np.roll(ids_BxL, -1, axis=1)[..., None]),
    # The last token of a row has no target.
    'loss_mask': jnp.asarray(
      _but_first(ones_BxL)[:, ::-1, None].astype(np.bool_)
    ),
  }
  specs = {
    name: enp.ArraySpec(shape=leaf.shape, dtype=leaf.dtype)
    for name, leaf in batch.items()
  }
  shapes = jax.eval_shape(lambda: step.init(specs))
  assert jax.tree.map(jnp.shape, dict(shapes.params)) == jax.tree.map(
    jnp.shape, dict(params)
  )
  state = dataclasses.replace(
    shapes,
    step=jnp.asarray(0),
    params=params,
    opt_state=step.optimizer.init(params),
  )

  def take():
    nonlocal state
    state, aux = step.step(state, batch, return_losses=True)
    return float(aux.compute(flatten=False).loss_values['xentropy'])

  return take


def tunix(folder, model, ids_BxL):
  """The step of tunix's PeftTrainer, with its default loss."""
  import jax
  import jax.numpy as jnp
  import optax
  from flax import nnx
  from jax.sharding import Mesh
  from tunix.models.gemma3 import model as gemma3
  from tunix.models.gemma3 import params_safetensors
  from tunix.sft import peft_trainer

  from tests.bench import peer_steps

  read = json.loads((folder / 'config.json').read_text())
  kinds = {
    'sliding_attention': gemma3.AttentionType.LOCAL_SLIDING,
    'full_attention': gemma3.AttentionType.GLOBAL,
  }
  config = gemma3.ModelConfig(
    num_layers=read['num_hidden_layers'],
    num_embed=read['vocab_size'],
    embed_dim=read['hidden_size'],
    hidden_dim=read['intermediate_size'],
    num_heads=read['num_attention_heads'],
    head_dim=read['head_dim'],
    num_kv_heads=read['num_key_value_heads'],
    sliding_window_size=read['sliding_window'],
    local_base_frequency=10_000,
    global_base_frequency=1_000_000,
    param_dtype=jnp.float32,
  )
  mesh = Mesh(np.asarray(jax.devices()).reshape(1, 1), ('fsdp', 'tp'))
  # Its layers repeat a pattern that a nano model does not have.
  layers = tuple(kinds[kind] for kind in read['layer_types'])
  with mock.patch.object(gemma3, 'GEMMA3_ATTENTION_PATTERN', layers):
    made = params_safetensors.create_model_from_safe_tensors(
      str(folder), config, mesh, dtype=jnp.float32
    )
  trainer = peft_trainer.PeftTrainer(
    made,
    optax.adamw(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    peft_trainer.TrainingConfig(eval_every_n_steps=100),
  ).with_gen_model_input_fn(peer_steps.tunix_inputs)
  batch = peft_trainer.TrainingInput(
    input_tokens=jnp.asarray(ids_BxL),
    input_mask=jnp.ones(ids_BxL.shape, jnp.bool_),
  )
  step = nnx.jit(trainer.create_train_step_fn(), donate_argnames='optimizer')

  def take():
    with mesh:
      return float(step(trainer.model, trainer.optimizer, batch)[0])

  return take


def transformers(folder, model, ids_BxL):
  """transformers' model with SDPA attention, in a plain loop of torch."""
  import torch
  from transformers import AutoModelForCausalLM

  del model
  made = AutoModelForCausalLM.from_pretrained(
    folder, attn_implementation='sdpa', dtype=torch.float32
  ).train()
  optimizer = torch.optim.AdamW(
    made.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
  )
  ids = torch.tensor(ids_BxL, dtype=torch.long)

  def take():
    loss = made(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())

  return take


LIBRARIES = {
  'icl_gen': icl_gen,
  'kauldron': kauldron,
  'tunix': tunix,
  'transformers': transformers,
}


def peak_bytes():
  """Peak resident memory so far; Linux counts KiB, macOS bytes."""
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return peak * (1 if sys.platform == 'darwin' else 1024)


def measure(take, *, steps):
  """Losses of all steps, and seconds of those after the first two."""
  start = time.perf_counter()
  losses = [take(), take()]
  first = time.perf_counter() - start
  seconds = []
  for _ in range(steps):
    start = time.perf_counter()
    losses.append(take())
    seconds.append(time.perf_counter() - start)
  return {'losses': losses, 'seconds': seconds, 'first_seconds': first}


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('library', choices=LIBRARIES)
  parser.add_argument('directory', type=pathlib.Path)
  parser.add_argument('--model', required=True)
  parser.add_argument('--steps', type=int, required=True)
  parser.add_argument('--json', type=pathlib.Path, required=True)
  given = parser.parse_args()
  ids_BxL = np.load(given.directory / 'ids.npy')
  take = LIBRARIES[given.library](given.directory, given.model, ids_BxL)
  found = {'start_bytes': peak_bytes()}
  found |= measure(take, steps=given.steps)
  found['peak_bytes'] = peak_bytes()
  given.json.write_text(json.dumps(found))


if __name__ == '__main__':
  main()
