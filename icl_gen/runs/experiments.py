"""Every setting of an experiment, with its default; configs/*.py change some.

An experiment's settings reach a command as a config, which the door turns into
an `Experiment`; below the doors nothing reads a config.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from icl_gen.runs import directories, models
from icl_gen.storage import corpus_files
from icl_gen.text import masking, prompts, reversing, splitting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
  """The documents before a question in condition 'icl'."""

  kind: str = 'all'  # which; 'recalled': what the model writes from memory
  factor: int  # 'all': keep one document in this many (1: all of them)
  budget: int = 0  # maximum number of tokens; 0: no limit ('fitting': 2/3 row)
  documents: int = 4  # 'oracle', 'bm25': most of them; 'recalled': samples each
  agree: int = 1  # 'recalled': samples that must be the same
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

  splitting: str = 'none'  # of documents into sentences
  reverse: str = 'none'  # adds each document with its words in reverse order
  mask: str = 'none'  # adds tasks to restore each document, or has these alone
  mask_share: float = 0.0  # of the words, that are blanks; 0: drawn each time
  mask_copies: int = 4  # of each document, with different blanks
  replay: str = ''  # directory of other texts; a corpus, or as in own-data.md
  replay_share: float = 0.0  # of all tokens, that are from those texts
  targets: str = 'tokens'  # of generated texts; or what was expected there
  loss_on: str = 'text'  # all of it, or what follows a document's prompt
  steps: int  # updates of the weights
  batch_size: int = 8  # rows; a multiple of the devices they are split over
  length: int  # tokens per row, which short documents share; 0: of the longest
  optimizer: str = 'adamw'  # for LoRA, not muon
  learning_rate: float = 2e-3  # at its peak
  warmup_steps: int = 20  # in which the learning rate rises to its peak
  final_share: float = 0.1  # of the peak, at the end of the cosine decay
  weight_decay: float = 0.0  # decoupled, times the learning rate
  decay_on: str = 'all'  # what decays; matrices: not embeddings and norms
  moments: str = 'float32'  # dtype of the optimizer's state
  clip: float = 1.0  # maximum gradient norm
  freeze: str = 'none'  # what keeps its weights; LoRA adapts no embeddings
  lora_rank: int = 0  # of adapters of the weights; 0: the weights are trained
  lora_alpha: float = 16.0  # adapters are scaled by alpha / rank
  lora_on: str = 'all'  # the matrices that get adapters
  # Questions that choose among checkpoints are not scored at the end.
  evaluate_every: int = 0  # steps between two evaluations; 0: never
  evaluate_share: float = 0.1  # of the groups of questions about one fact
  evaluate_kinds: str = ''  # of the questions that choose, e.g. 'a,b'; '': all
  evaluate_by: str = 'accuracy'  # or margin, in nats
  stop_after: int = 0  # evaluations that bring nothing, then stop; 0: never
  keep_best: bool = False  # the result is of the best evaluation, not the last
  report_every: int = 50  # steps between two lines of metrics
  save_every: int = 200  # steps between two checkpoints
  keep: int = 2  # of the newest training states
  # How a step is computed. Rows are split over all devices but `model`.
  fsdp: int = 1  # devices that weights and optimizer are split over; 0: all
  model: int = 1  # devices that compute a row together
  microbatches: int = 1  # parts of a batch, one after the other
  remat: str = 'none'  # what is computed again, to save memory
  scan: bool = False  # compile layers that repeat once


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
  """Sampling of in-context inferences, the documents that 'ft_aug' adds.

  A source other than the model makes the documents of a control, without
  sampling.
  """

  documents_per_fact: int = 1  # of those that state the same facts
  local_samples: int  # per document, prompted with that document alone
  global_samples: int  # per document, prompted after all documents
  temperature: float = 0.7  # of sampling; 0: the likeliest token
  max_tokens: int = 64  # per completion
  prompt: str = prompts.USUAL  # wording of both prompts; see text/prompts.py
  likeliest: int = 0  # tokens stored of each place, with probability; 0: none
  name: str = ''  # of these samples, next to those with other settings
  # Controls; see augmentation/sources.py.
  source: str = 'model'  # what writes the documents
  noise: float = 0.0  # share of the oracle's documents that are made false
  share: float = 1.0  # of the inferred facts, that the oracle states
  wordings: str = 'one'  # of a fact that is 'phrased': one or several
  openings: str = 'none'  # of documents, before it: none, one or several
  tokens: int = 0  # of a control; 0: as many as the model's inferences have
  match: str = ''  # the name of those inferences


@dataclasses.dataclass(frozen=True, kw_only=True)
class Experiment:
  """Everything that the corpus, the weights and the scores depend on."""

  world: str  # a name in worlds/catalog.py
  size: Mapping[str, Any]  # keyword arguments of the world's function
  seed: int = 0  # of the world, of sampling and of training
  file_format: str = 'array_record'  # of the corpus
  audit: bool = False  # check the corpus before it is written
  condition: str = 'ft'  # how the model comes to the documents, if at all
  run: str = ''  # name of the cell, next to those with other settings

  model: str = 'nano'  # a name in runs/models.py
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

BLOCKS = {
  'context': Context,
  'scoring': Scoring,
  'train': Training,
  'augment': Augmentation,
}


# Key -> what it may be. Names that rooms define which import JAX are repeated
# here, so that a mistake is found before; a test compares them.
CHOICES: dict[str, tuple[str, ...]] = {
  'file_format': corpus_files.FILE_FORMATS,
  'condition': directories.CONDITIONS,
  'model': models.ALL,
  'dtype': models.DTYPES,
  'context.kind': ('all', 'oracle', 'bm25', 'fitting', 'recalled'),
  'augment.source': (
    *('model', 'originals', 'paraphrases', 'oracle', 'reworded'),
    *('phrased', 'wrong_pairs'),
  ),
  'augment.prompt': tuple(prompts.WORDINGS),
  'augment.wordings': ('one', 'several'),
  'augment.openings': ('none', 'one', 'several'),
  'scoring.core': ('auto', 'plain', 'blockwise', 'splash', 'cudnn'),
  'train.splitting': splitting.SPLITTINGS,
  'train.reverse': reversing.REVERSALS,
  'train.mask': masking.MASKINGS,
  'train.targets': ('tokens', 'distribution'),
  'train.loss_on': ('text', 'completion'),
  'train.optimizer': ('adamw', 'adafactor', 'muon'),
  'train.decay_on': ('all', 'matrices'),
  'train.moments': ('float32', 'bfloat16'),
  'train.evaluate_by': ('accuracy', 'margin'),
  'train.freeze': ('none', 'embeddings'),
  'train.lora_on': ('all', 'attention', 'feed-forward'),
  'train.remat': ('none', 'dots', 'attention', 'full'),
}

_COUNT = 1_000_000
# Key -> the least and the greatest value that is allowed. What is greater is a
# mistake on any machine, and would end in a library's words, or never.
RANGES = {
  'seed': (0, 2**32 - 1),
  'context.factor': (1, _COUNT),
  'context.budget': (0, 1_000 * _COUNT),
  'context.documents': (0, _COUNT),
  'context.agree': (1, _COUNT),
  'context.distractors': (0, _COUNT),
  'scoring.questions': (1, _COUNT),
  'scoring.contexts_gib': (0, _COUNT),
  'scoring.data': (0, _COUNT),
  'scoring.model': (1, _COUNT),
  'train.keep': (1, _COUNT),
  'train.mask_share': (0, 1),
  'train.mask_copies': (1, 1_000),
  'train.replay_share': (0, 0.99),
  'train.steps': (1, 1_000 * _COUNT),
  'train.batch_size': (1, 65_536),
  'train.length': (0, _COUNT),
  'train.learning_rate': (0, 1_000),
  'train.warmup_steps': (0, 1_000 * _COUNT),
  'train.final_share': (0, 1_000),
  'train.weight_decay': (0, 1_000),
  'train.clip': (0, _COUNT),
  'train.lora_rank': (0, 65_536),
  'train.lora_alpha': (0, _COUNT),
  'train.evaluate_every': (0, 1_000 * _COUNT),
  'train.evaluate_share': (0, 1),
  'train.stop_after': (0, _COUNT),
  'train.report_every': (1, 1_000 * _COUNT),
  'train.save_every': (1, 1_000 * _COUNT),
  'train.fsdp': (0, _COUNT),
  'train.model': (1, _COUNT),
  'train.microbatches': (1, 65_536),
  'augment.documents_per_fact': (1, 100_000),
  'augment.local_samples': (0, 100_000),
  'augment.global_samples': (0, 100_000),
  'augment.temperature': (0, 100),
  'augment.max_tokens': (1, _COUNT),
  'augment.likeliest': (0, 1_000),
  'augment.noise': (0, 1),
  'augment.share': (0, 1),
  'augment.tokens': (0, 1_000 * _COUNT),
}
# Those whose least value is itself not allowed.
_ABOVE = ('train.learning_rate', 'train.clip', 'augment.share')


def read(values: Mapping[str, Any], *, above: str = '') -> Experiment:
  """Returns the experiment of a config's values.

  Args:
    values: `config.to_dict()`.
    above: where the values are in the config, as messages say: '', or
      'experiments.<name>.' in that of a study.

  Raises:
    ValueError: a key is missing or unknown, a number is out of its range, or a
      name is not one of its choices; has the flag that gives it.
  """
  require_keys(values, Experiment, above=above)
  require_allowed(values, block='', above=above)
  require_size(values['size'], above=f'{above}size.')
  blocks = {}
  for name, kind in BLOCKS.items():
    block = f'{name}.'
    require_keys(values[name], kind, above=above + block)
    require_allowed(values[name], block=block, above=above)
    blocks[name] = kind(**values[name])
  directories.require_name(values['run'], flag=f'{above}run')
  name = values['augment']['name']
  directories.require_name(name, flag=f'{above}augment.name')
  match = values['augment']['match']
  directories.require_name(match, flag=f'{above}augment.match')
  return Experiment(**{**values, **blocks})


def with_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
  """Adds keys that an older version did not record, with their defaults.

  Args:
    values: of an experiment, as it was recorded.
  """
  blocks = {
    name: _defaults(kind) | values[name] for name, kind in BLOCKS.items()
  }
  return {**_defaults(Experiment), **values, **blocks}


def _defaults(kind: type[Any]) -> dict[str, Any]:
  return {
    field.name: field.default
    for field in dataclasses.fields(kind)
    if field.default is not dataclasses.MISSING
  }


def allowed(key: str) -> str:
  """What a key may be, in words; '' if that depends on other things."""
  if key in CHOICES:
    return ', '.join(CHOICES[key])
  if key not in RANGES:
    return ''
  low, high = RANGES[key]
  if key in _ABOVE:
    return f'more than {low:,}, up to {high:,}'
  return f'{low:,} to {high:,}'


def require_allowed(
  values: Mapping[str, Any], *, block: str, above: str
) -> None:
  """Checks the names and numbers of a block of settings.

  Args:
    values: of the block.
    block: its name with a dot, e.g. 'train.'; '' for the experiment's own.
    above: where the experiment is in the config, for the message.

  Raises:
    ValueError: a name is not one of CHOICES, or a number is not in RANGES.
  """
  for name, value in values.items():
    key = block + name
    if key in CHOICES and value not in CHOICES[key]:
      raise ValueError(
        f'--config.{above}{key}={value!r}; allowed are {allowed(key)}'
      )
    if key in RANGES:
      require_number(key, value, flag=above + key)


def require_number(key: str, value: Any, *, flag: str) -> None:
  """Checks that a number is in its range.

  Args:
    key: one of RANGES.
    value: what the config has.
    flag: its key in the config, for the message.

  Raises:
    ValueError: it is not a number, or out of range.
  """
  if not _is_within(key, value):
    raise ValueError(f'--config.{flag}={value}; give {allowed(key)}')


def _is_within(key: str, value: Any) -> bool:
  low, high = RANGES[key]
  if not isinstance(value, int | float) or (key in _ABOVE and value == low):
    return False
  return low <= value <= high  # NaN is in no range


def require_size(size: Mapping[str, Any], *, above: str = 'size.') -> None:
  """Checks that no number of a world's size is absurd.

  Args:
    size: keyword arguments of the world's function, which checks the rest.
    above: where it is in the config, for the message.

  Raises:
    ValueError: a number is greater than any machine could hold.
  """
  for name, value in size.items():
    number = isinstance(value, int | float)
    if number and not abs(value) <= _COUNT:
      raise ValueError(
        f'--config.{above}{name}={value}; give at most {_COUNT:,}'
      )


def require_samples(experiment: Experiment, *, above: str = '') -> None:
  """Checks that an augmentation would sample something.

  Args:
    experiment: its settings.
    above: as for `read`.

  Raises:
    ValueError: both kinds have no samples.
  """
  augment = experiment.augment
  if not augment.local_samples and not augment.global_samples:
    raise ValueError(
      f'--config.{above}augment.local_samples=0 and'
      f' --config.{above}augment.global_samples=0: nothing would be'
      " sampled; give 1 or more of either, or leave out condition 'ft_aug'"
    )


def require_distributions(experiment: Experiment, *, above: str = '') -> None:
  """Checks that an augmentation would store what training asks for.

  Args:
    experiment: its settings, of a cell that is trained on its augmentation.
    above: as for `read`.

  Raises:
    ValueError: distributions are the targets, and none would be stored.
  """
  train, augment = experiment.train, experiment.augment
  if train.targets == 'distribution' and not augment.likeliest:
    raise ValueError(
      f"--config.{above}train.targets='distribution' with"
      f' --config.{above}augment.likeliest=0: no distributions would be stored;'
      " give likeliest=32, or targets='tokens'"
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
