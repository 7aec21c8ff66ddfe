"""Every setting of an experiment, with its default; configs/*.py change some.

An experiment's settings reach a command as a config, which the door turns into
an `Experiment`; below the doors nothing reads a config.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
  """The documents before a question in condition 'icl'."""

  kind: str = 'all'  # or retrieved by premises ('oracle') or words ('bm25')
  factor: int  # 'all': keep one document in this many (1: all of them)
  budget: int = 0  # 'all': maximum number of tokens (0: no limit)
  documents: int = 4  # 'oracle', 'bm25': maximum number of documents
  distractors: int = 8  # 'oracle': documents about something else


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scoring:
  """How questions are scored; only `generate` changes what is measured."""

  generate: bool = False  # also sample answers and report exact match
  questions: int = 1000  # per part; a killed run keeps finished parts
  core: str = 'auto'  # attention to contexts; a name in model/cores.py
  contexts_gib: float = 4.0  # memory for encoded contexts that may be reused
  data: int = 1  # devices that rows are split over; 0: all that `model` leaves
  model: int = 1  # devices that weights are split over


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
  """Fine-tuning, of conditions 'ft' and 'ft_aug'."""

  splitting: str = 'none'  # 'none', 'independent', 'cumulative' sentences
  loss_on: str = 'text'  # 'text' or 'completion'
  steps: int
  batch_size: int = 8  # rows; a multiple of the devices they are split over
  length: int  # tokens per row; short documents share one, longer: an error
  optimizer: str = 'adamw'  # 'adamw', 'adafactor' or 'muon'
  learning_rate: float = 2e-3  # peak
  warmup_steps: int = 20
  final_share: float = 0.1  # of the peak, at the end of the cosine
  weight_decay: float = 0.0
  decay_on: str = 'all'  # or 'matrices': neither embeddings nor norms
  moments: str = 'float32'  # dtype of the optimizer's state; or 'bfloat16'
  clip: float = 1.0  # maximum gradient norm
  lora_rank: int = 0  # of adapters of the weights; 0: the weights are trained
  lora_alpha: float = 16.0  # adapters are scaled by alpha / rank
  lora_on: str = 'all'  # matrices: or 'attention', 'feed-forward'
  report_every: int = 50  # steps
  save_every: int = 200  # steps
  keep: int = 2  # of the newest training states
  # How a step is computed. Rows are split over all devices but `model`.
  fsdp: int = 1  # devices that weights and optimizer are split over; 0: all
  model: int = 1  # devices that compute a row together
  microbatches: int = 1  # parts of a batch, one after the other
  remat: str = 'none'  # computed again: 'none', 'dots', 'attention', 'full'
  scan: bool = False  # compile layers that repeat once


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
  """Sampling of in-context inferences, the documents that 'ft_aug' adds."""

  documents_per_fact: int = 1  # of those that state the same facts
  local_samples: int  # per document, prompted with that document alone
  global_samples: int  # per document, prompted after all documents
  temperature: float = 0.7
  max_tokens: int = 64  # per completion


@dataclasses.dataclass(frozen=True, kw_only=True)
class Experiment:
  """Everything that the corpus, the weights and the scores depend on."""

  world: str  # a name in worlds/catalog.py
  size: Mapping[str, Any]  # keyword arguments of the world's function
  seed: int = 0  # of the world, of sampling and of training
  file_format: str = 'array_record'  # of the corpus; or 'tfrecord'
  audit: bool = False  # check the corpus before it is written
  condition: str = 'ft'  # 'pretrained', 'icl', 'ft', 'ft_aug'

  model: str = 'nano'  # a name in model/registry.py
  checkpoint: str = ''  # directory of weights; '' for the embedded model
  tokenizer: str = ''  # SentencePiece model; '' for the embedded one
  dtype: str = 'float32'  # of the weights and of computation
  chat: bool = False  # ask in the turns of instruction-tuned models

  context: Context
  scoring: Scoring = Scoring()
  train: Training
  augment: Augmentation


# Settings of training that say how, not what: a run may be resumed with others,
# and its result differs by rounding only.
HOW = ('keep', 'fsdp', 'model', 'microbatches', 'remat', 'scan')

_BLOCKS = {
  'context': Context,
  'scoring': Scoring,
  'train': Training,
  'augment': Augmentation,
}


# Key -> the least and the greatest value that is allowed. What is greater is a
# mistake on any machine, and would end in a library's words or in no words at
# all. Settings that are not here are checked where they are used.
RANGES = {
  'scoring.questions': (1, 1_000_000),
  'scoring.contexts_gib': (0, 1_000_000),
  'scoring.data': (0, 1_000_000),
  'scoring.model': (1, 1_000_000),
  'train.keep': (1, 1_000_000),
  'train.steps': (1, 1_000_000_000),
  'train.batch_size': (1, 65_536),
  'train.length': (2, 1_000_000),
  'augment.documents_per_fact': (1, 100_000),
  'train.lora_rank': (0, 65_536),
  'train.lora_alpha': (0, 1_000_000),
  'train.fsdp': (0, 1_000_000),
  'train.model': (1, 1_000_000),
  'train.microbatches': (1, 65_536),
  'augment.local_samples': (0, 100_000),
  'augment.global_samples': (0, 100_000),
  'augment.temperature': (0, 100),
  'augment.max_tokens': (1, 1_000_000),
}


def read(values: Mapping[str, Any]) -> Experiment:
  """Returns the experiment of a config's values.

  Args:
    values: `config.to_dict()`.

  Raises:
    ValueError: a key is missing or unknown, or a number is out of its range;
      names it.
  """
  require_keys(values, Experiment)
  blocks = {}
  for name, kind in _BLOCKS.items():
    require_keys(values[name], kind, above=f'{name}.')
    _require_ranges(values[name], above=f'{name}.')
    blocks[name] = kind(**values[name])
  return Experiment(**{**values, **blocks})


def _require_ranges(values: Mapping[str, Any], *, above: str) -> None:
  """Checks the numbers of a block of settings."""
  for name, value in values.items():
    low, high = RANGES.get(above + name, (None, None))
    if low is None or high is None:
      continue
    # NaN is in no range.
    if not isinstance(value, int | float) or not low <= value <= high:
      raise ValueError(f'{above}{name}={value}; give {low:,} to {high:,}')


def require_samples(experiment: Experiment) -> None:
  """Checks that an augmentation would sample something.

  Raises:
    ValueError: both kinds have no samples.
  """
  augment = experiment.augment
  if not augment.local_samples and not augment.global_samples:
    raise ValueError(
      'augment.local_samples=0 and augment.global_samples=0: nothing would be'
      " sampled; give 1 or more of either, or leave out condition 'ft_aug'"
    )


def require_keys(
  values: Mapping[str, Any], kind: type[Any], *, above: str = ''
) -> None:
  """Checks that values have exactly the keys of a dataclass.

  Args:
    values: what a config says.
    kind: the dataclass.
    above: dotted prefix of the keys in the message.

  Raises:
    ValueError: a key is missing or unknown; names it.
  """
  known = [field.name for field in dataclasses.fields(kind)]
  for name in known:
    if name not in values:
      raise ValueError(
        f'the config has no key {above + name!r}, which this command reads: is'
        ' it the config of another command?'
      )
  for name in values:
    if name not in known:
      raise ValueError(
        f'the config has a key {above + name!r} that no command reads; known'
        f' are {", ".join(above + name for name in known)}'
      )
