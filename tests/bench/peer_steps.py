"""Compiles another library's training step for TPUs that need not be there.

Called by compiled_peers.py, with a Python that has the library:

  PYTHONPATH=. PYTHON tests/bench/peer_steps.py PEER gemma3_270m v5e:2x2 \
    --rows=32 --length=1024 --json=FILE

The step is the library's own, made by its own classes with the settings of its
examples; only shapes are made, on devices that it is told are there. Facts are
taken as `python -m icl_gen.compile` takes them, by modules that need JAX only.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import re
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from icl_gen.compiling import hlo, report, topology


def kauldron(model, devices, *, rows, length, layers, remat):
  """gemma's example `sharding.py`: the Linen model in kauldron's TrainStep.

  As there: bfloat16 weights, adafactor, weights split by FSDPSharding. The
  optimizer's state is split by it as well, which the example leaves to XLA.
  Neither library rematerialises.
  """
  import optax
  from gemma import gm
  from kauldron import checkpoints, kd

  assert not remat
  module = {'gemma3_270m': gm.nn.Gemma3_270M, 'gemma3_1b': gm.nn.Gemma3_1B}
  made = module[model](tokens='batch.input')
  if layers:
    kinds = made.config.attention_types[:layers]
    made = made.clone(
      config=dataclasses.replace(made.config, attention_types=kinds)
    )
  split = kd.sharding.FSDPSharding()
  loss = kd.losses.SoftmaxCrossEntropyWithIntLabels(
    logits='preds.logits', labels='batch.target', mask='batch.loss_mask'
  )
  step = kd.train.TrainStep(
    model=made,
    optimizer=optax.adafactor(learning_rate=1e-3),
    rng_streams=kd.train.RngStreams(seed=42),
    sharding=kd.sharding.ShardingStrategy(params=split, opt_state=split),
    init_transform=checkpoints.NoopTransform(),
    aux=kd.train.Auxiliaries(
      losses={'xentropy': loss}, metrics={}, summaries={}
    ),
  )
  kinds = {
    'input': ((rows, length), jnp.int32),
    'target': ((rows, length, 1), jnp.int32),
    'loss_mask': ((rows, length, 1), jnp.bool_),
  }
  batch = {
    name: jax.ShapeDtypeStruct(*kind, sharding=kd.sharding.FIRST_DIM)
    for name, kind in kinds.items()
  }
  state = jax.eval_shape(lambda: step.init(_specs(batch)))
  state = kd.sharding.with_sharding_constraint(state, step.sharding.state)
  return type(step).step.lower(step, state, batch)


def _specs(batch):
  from etils import enp

  return {
    name: enp.ArraySpec(shape=leaf.shape, dtype=leaf.dtype)
    for name, leaf in batch.items()
  }


def tunix(model, devices, *, rows, length, layers, remat):
  """The step of tunix's PeftTrainer, as its command `peft_main` makes it.

  As there: bfloat16 weights, all of them trained, the model's default sharding
  and the default loss; with AdamW, its state in bfloat16.
  """
  import optax
  from flax import nnx
  from tunix.models.gemma3 import model as gemma3
  from tunix.sft import peft_trainer

  name = {'gemma3_270m': 'gemma3_270m', 'gemma3_1b': 'gemma3_1b_pt'}[model]
  config = getattr(gemma3.ModelConfig, name)()
  config.remat_config = gemma3.RematConfig[(remat or 'none').upper()]
  config.num_layers = layers or config.num_layers
  mesh = Mesh(np.asarray(devices).reshape(-1, 1), ('fsdp', 'tp'))
  trainers = []

  def start():
    made = gemma3.Gemma3(config, rngs=nnx.Rngs(0))
    trainer = peft_trainer.PeftTrainer(
      made,
      optax.adamw(1e-5),
      peft_trainer.TrainingConfig(eval_every_n_steps=100),
    )
    trainers.append(trainer)
    return made, trainer.optimizer

  made, optimizer = nnx.eval_shape(start)
  for part in (made, optimizer):
    state = nnx.state(part)
    places = nnx.get_partition_spec(state)
    nnx.update(part, jax.tree.map(_placed(mesh), state, places))
  trainer = trainers[0].with_gen_model_input_fn(tunix_inputs)
  over = NamedSharding(mesh, PartitionSpec('fsdp'))
  batch = peft_trainer.TrainingInput(
    input_tokens=jax.ShapeDtypeStruct((rows, length), jnp.int32, sharding=over),
    input_mask=jax.ShapeDtypeStruct((rows, length), jnp.bool_, sharding=over),
  )
  step = nnx.jit(trainer.create_train_step_fn(), donate_argnames='optimizer')
  with mesh:
    return step.lower(made, optimizer, batch)


def tunix_inputs(given):
  """What tunix's models take, as its `peft_main` makes it of a batch."""
  from tunix.sft import utils

  mask = given.input_tokens != 0
  return {
    'input_tokens': given.input_tokens,
    'input_mask': given.input_mask,
    'positions': utils.build_positions_from_mask(mask),
    'attention_mask': utils.make_causal_attn_mask(mask),
  }


def _placed(mesh):
  return lambda leaf, spec: jax.ShapeDtypeStruct(
    leaf.shape, leaf.dtype, sharding=NamedSharding(mesh, spec)
  )


PEERS = {'kauldron': kauldron, 'tunix': tunix}
# Names of operations in attention, between the projections and their norms:
# rotary embedding, logits, softmax, sums of values.
ATTENTION = {
  'kauldron': re.compile(
    r'/attn/(?!_query_norm/|_key_norm/|q_einsum/|kv_einsum/|attn_vec_einsum/)'
  ),
  'tunix': re.compile(
    r'/attention/(?!.*(BTD,NDH->BTNH|BSD,CKDH->CBSKH|BTNH,NHD->BTD|rms_norm))'
  ),
}


def attention_cycles(peer, text):
  """Cycles of a peer's attention, which are none of ours: a kernel's."""
  cycles = hlo.cycles_by_operation(text)
  return sum(n for name, n in cycles.items() if ATTENTION[peer].search(name))


@contextlib.contextmanager
def pretended(devices):
  """Within it, JAX says that it has these devices."""
  with (
    mock.patch.object(jax, 'devices', return_value=list(devices)),
    mock.patch.object(jax, 'device_count', return_value=len(devices)),
  ):
    yield


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('peer', choices=PEERS)
  parser.add_argument('model', choices=('gemma3_270m', 'gemma3_1b'))
  parser.add_argument('topology')
  parser.add_argument('--rows', type=int, required=True)
  parser.add_argument('--length', type=int, required=True)
  parser.add_argument('--layers', type=int, default=0, help='0: all')
  parser.add_argument('--remat', default='', help="of tunix: 'decoder'")
  parser.add_argument('--json', type=pathlib.Path, required=True)
  parser.add_argument('--text', type=pathlib.Path, help='for its instructions')
  given = parser.parse_args()
  found = topology.find(given.topology)

  def lower():
    with pretended(found.devices):
      return PEERS[given.peer](
        given.model,
        found.devices,
        rows=given.rows,
        length=given.length,
        layers=given.layers,
        remat=given.remat,
      )

  compiled = report.compiled(lower)
  facts = report.facts(
    compiled, found, tokens=given.rows * given.length, model_flops=0
  )
  if compiled.program is not None:
    text = compiled.program.as_text()
    facts['attention_cycles'] = attention_cycles(given.peer, text)
    if given.text:
      given.text.write_text(text)
  given.json.write_text(json.dumps(facts))


if __name__ == '__main__':
  main()
