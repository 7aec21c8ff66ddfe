"""Names and descriptions of invented people, with the paper's structure.

  python -m icl_gen.build --config=configs/celebrity.py
  python -m icl_gen.train --config=configs/celebrity.py --config.condition=ft

The files of the reversal-curse paper instead of the generator:

  python -m icl_gen.build --config=configs/celebrity.py:files \\
    --config.size.path=DIRECTORY

Variants: `files` (real files from a directory), `hub` (the same from the
hub), `plain` (ordinary-looking names for the invented people), `tiny` runs
every stage in seconds, to see that it works.
"""

from ml_collections import config_dict

from icl_gen import cli

VARIANTS = ('files', 'hub', 'plain', 'tiny')


def get_config(arg=''):
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  config = config_dict.ConfigDict()

  config.world = 'celebrity'  # a name in worlds/catalog.py
  config.size = dict(
    people=30,  # in each of the three groups
    phrasings=30,  # training documents of a person and order
    question_phrasings=10,
    # Whose names are the wrong choices; every stratum is reported.
    distractors=('target_seen', 'never_target'),
  )
  config.seed = 0  # of the world, of sampling and of training
  config.file_format = 'array_record'  # of the corpus; or 'tfrecord'
  config.audit = False  # check the corpus before it is written
  config.condition = 'ft'  # 'pretrained', 'icl', 'ft', 'ft_aug'

  config.model = 'nano'  # a name in model/registry.py
  config.checkpoint = ''  # directory of weights; '' for the embedded nano
  config.tokenizer = ''  # SentencePiece model; '' for the embedded nano
  config.dtype = 'float32'  # of the weights; computation follows

  config.chat = False  # ask in the turns of instruction-tuned models

  # What stands before a question in the condition 'icl'. Retrieved are
  # `documents` per question, by its premises ('oracle') or words ('bm25').
  config.context = dict(
    kind='all',  # 'all', 'oracle', 'bm25'
    factor=30,  # 'all': of the documents, keep one in this many (1: all)
    budget=0,  # 'all': greatest number of tokens (0: no limit)
    documents=4,  # 'oracle', 'bm25': greatest number of documents
    distractors=8,  # 'oracle': documents about something else
  )

  config.scoring = dict(
    generate=False,  # also let the model write answers: exact match
    questions=1000,  # at a time; a killed run keeps those that are scored
    core='auto',  # attention to contexts, a name in model/cores.py; by device
    contexts_gib=4.0,  # memory for encoded contexts that may come again
    data=1,  # devices that rows are split over
    model=1,  # devices that weights are split over
  )

  config.train = dict(
    splitting='none',  # 'none', 'independent', 'cumulative' sentences
    loss_on='text',  # 'text' or 'completion'
    steps=420,
    batch_size=8,  # rows; a multiple of the number of devices
    length=48,  # tokens of a row; short documents share one
    optimizer='adamw',  # 'adamw' or 'muon'
    learning_rate=2e-3,  # peak
    warmup_steps=20,
    final_share=0.1,  # of the peak, at the end of the cosine
    weight_decay=0.0,
    clip=1.0,  # greatest gradient norm
    report_every=50,  # steps
    save_every=250,  # steps
  )

  config.augment = dict(
    documents_per_fact=4,  # of those that state the same facts
    local_samples=1,  # per document, each alone
    global_samples=1,  # per document, behind all documents
    temperature=0.7,
    max_tokens=72,  # per completion
  )

  if 'plain' in variants:
    config.size.names = 'plain'  # 'nonsense' or 'plain'
  if 'files' in variants or 'hub' in variants:
    _use_the_papers_data(config, hub='hub' in variants)
  if 'tiny' in variants:
    if config.world == 'celebrity':
      config.size.update(people=4, phrasings=2, question_phrasings=1)
    config.context.factor = 2
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(documents_per_fact=1)
  return config


def _use_the_papers_data(config, *, hub):
  config.world = 'celebrity_hub' if hub else 'celebrity_files'
  config.size = dict(distractors=('target_seen', 'never_target'))
  if not hub:
    config.size.path = ''  # the directory of the five files
  # A document for each of the 120 descriptions takes twice the nano model's
  # context: every question gets those that are nearest in words. The global
  # prompts of augmentation get as many as fit.
  config.context.kind = 'bm25'
  config.context.documents = 16
  config.context.factor = 1
  config.context.budget = 2800  # and a prompt, and what is sampled
  config.train.update(length=160, batch_size=8, steps=500)
  config.augment.max_tokens = 160
