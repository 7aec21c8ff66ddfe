"""Derivatoids: a transform of functions, learned from worked examples.

  python -m icl_gen.build --config=configs/process.py
  python -m icl_gen.train --config=configs/process.py --config.condition=ft
  python -m icl_gen.evaluate --config=configs/process.py --config.condition=ft

Variants: `paper` is the full size, for a real Gemma; `tiny` runs every stage in
seconds, to see that it works.
"""

from ml_collections import config_dict

from icl_gen import cli
from icl_gen.worlds.process import derivatoids

VARIANTS = ('paper', 'tiny')


def get_config(arg=''):
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  config = config_dict.ConfigDict()

  config.world = 'process'  # a name in worlds/catalog.py
  # All documents fit into 2,000 tokens of the nano model's.
  config.size = dict(
    examples=20,
    questions=24,  # of either kind
    numbers=4,  # the greatest
    depth=1,  # combination rules inside of each other
    rules=('power', 'sine', 'exponential', 'sum', 'product'),
    style='short',  # 'long' or 'short'
  )
  config.file_format = 'array_record'  # or 'tfrecord'
  config.audit = False  # check the corpus before it is written
  config.seed = 0  # of the world, of sampling and of training
  config.condition = 'ft'  # 'pretrained', 'icl', 'ft', 'ft_aug'

  config.model = 'nano'  # a name in model/registry.py
  config.checkpoint = ''  # directory of weights; '' for the embedded nano
  config.tokenizer = ''  # SentencePiece model; '' for the embedded nano
  config.dtype = 'float32'  # of the weights; computation follows
  config.chat = False  # ask in the turns of instruction-tuned models

  config.context = dict(
    kind='all',  # 'all', 'oracle', 'bm25'
    factor=1,  # 'all': of the documents, keep one in this many (1: all)
    budget=0,  # 'all': greatest number of tokens (0: no limit)
    documents=4,  # 'oracle', 'bm25': greatest number of documents
    distractors=8,  # 'oracle': documents about something else
  )

  config.scoring = dict(
    generate=True,  # also let the model write answers: exact match
    questions=1000,  # at a time; a killed run keeps those that are scored
    core='auto',  # attention to contexts, a name in model/cores.py; by device
    contexts_gib=4.0,  # memory for encoded contexts that may come again
    data=1,  # devices that rows are split over
    model=1,  # devices that weights are split over
  )

  config.train = dict(
    splitting='none',  # 'none', 'independent', 'cumulative' sentences
    loss_on='text',  # 'text' or 'completion'
    steps=250,
    batch_size=8,  # rows; a multiple of the number of devices
    length=112,  # tokens of a row; short documents share one
    optimizer='adamw',  # 'adamw' or 'muon'
    learning_rate=2e-3,  # peak
    warmup_steps=20,
    final_share=0.1,  # of the peak, at the end of the cosine
    weight_decay=0.0,
    clip=1.0,  # greatest gradient norm
    report_every=50,  # steps
    save_every=200,  # steps
  )

  config.augment = dict(
    documents_per_fact=1,  # of those that state the same facts
    local_samples=2,  # per document, each alone
    global_samples=1,  # per document, behind all documents
    temperature=0.7,
    max_tokens=112,  # per completion
  )

  if 'paper' in variants:
    _take_the_papers_size(config)
  if 'tiny' in variants:
    config.size.update(examples=3, questions=2, numbers=3)
    config.context.factor = 1
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(documents_per_fact=1, local_samples=1, max_tokens=16)
  return config


def _take_the_papers_size(config):
  config.size = dict(
    examples=1000,
    questions=200,
    numbers=9,
    depth=2,
    rules=tuple(derivatoids.RULES),  # all of them
    style='long',
  )
  config.context.factor = 2  # half the documents: about 90,000 nano tokens
  config.train.update(steps=2000, length=320)
  config.augment.max_tokens = 320
