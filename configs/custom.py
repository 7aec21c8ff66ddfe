"""Your own documents and questions; by default, those of a village.

  python -m icl_gen.build --config=configs/custom.py \\
    --config.size.path=DIRECTORY

What the directory holds is told in icl_gen/worlds/custom.py and shown by
configs/custom_example. Documents that are longer than `train.length` want a
greater one, or `train.splitting`.

Variants: `tiny` runs every stage in seconds, to see that it works.
"""

from ml_collections import config_dict

from icl_gen import cli

VARIANTS = ('tiny',)


def get_config(arg=''):
  """The experiment; `arg` is a comma-separated list of variants."""
  variants = cli.parse_variants(arg, VARIANTS)
  config = config_dict.ConfigDict()

  config.world = 'custom'  # a name in worlds/catalog.py
  config.size = dict(
    path='configs/custom_example',  # the folder of documents and questions
    joiner=' ',  # between prompt and choice, where neither has white space
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

  config.context = dict(
    kind='all',  # 'all', 'oracle', 'bm25'
    factor=1,  # 'all': of the documents, keep one in this many (1: all)
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
    steps=300,
    batch_size=16,  # rows; a multiple of the number of devices
    length=64,  # tokens of a row; a longer document is an error
    optimizer='adamw',  # 'adamw' or 'muon'
    learning_rate=2e-3,  # peak
    warmup_steps=20,
    final_share=0.1,  # of the peak, at the end of the cosine
    weight_decay=0.0,
    clip=1.0,  # greatest gradient norm
    report_every=50,  # steps
    save_every=150,  # steps
  )

  config.augment = dict(
    documents_per_fact=1,  # of those that state the same facts
    local_samples=4,  # per document, each alone
    global_samples=2,  # per document, behind all documents
    temperature=0.7,
    max_tokens=64,  # per completion
  )

  if 'tiny' in variants:
    config.train.update(steps=4, warmup_steps=1, report_every=2, save_every=2)
    config.augment.update(local_samples=1, global_samples=1)
  return config
