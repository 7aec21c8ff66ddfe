"""The ablations and controls of a study: what each one varies.

  python -m icl_gen.study --config=configs/study.py:noise
  python -m icl_gen.study --config=configs/study.py:noise,splitting
  python -m icl_gen.study --config=configs/study.py:full

Each is a list of grids (see docs/conditions.md); a run of a grid has the
experiment's own settings, but for those that the grid names. All are written
to the same directory, so `full` has what single ablations have run.
"""

ABLATIONS = {
  # Documents as sentences, alone or after those before them; with and without
  # inferences. Comparisons are single sentences: nothing changes for them.
  'splitting': ['train.splitting=independent,cumulative'],
  # One of the two prompts instead of both.
  'prompts': ['augment.local_samples=0', 'augment.global_samples=0'],
  # The same two prompts in other words, none of which is pretrained on.
  'prompt_wordings': ['augment.prompt=instruction,question,terse'],
  # How many inferences, and how likely ones. Configured are 2 or 4, and 0.7.
  'samples': [
    'augment.local_samples=1,8',
    'augment.temperature=0.0,1.0',
  ],
  # Half and twice the steps, and no decay of the learning rate.
  'schedule': ['train.steps=150,600', 'train.final_share=1.0'],
  # What is in context: an eighth of the documents (which global prompts see
  # then, too), those with the premises among others, or those that share words.
  'context': ['context.factor=8', 'context.kind=oracle,bm25'],
  # Documents of other sources, with as many tokens as the own inferences.
  'controls': [
    'augment.source=originals,paraphrases,oracle,reworded,wrong_pairs'
  ],
  # How the oracle's facts are said: variety of wording and openings, apart.
  'wordings': [
    'augment.source=phrased augment.wordings=one,several'
    ' augment.openings=none,one,several'
  ],
  # The same inferences once more, and with what the model expected at each of
  # their places in context as the targets: context distillation.
  'distillation': ['augment.likeliest=32 train.targets=tokens,distribution'],
  # A share of the oracle's sentences is false.
  'noise': ['augment.source=oracle augment.noise=0.0,0.1,0.25,0.5'],
  # A share of the facts only is told in the other direction, too.
  'told_reversed': ['augment.source=oracle augment.share=0.1,0.2,0.4'],
}

# What fine-tuned models are asked once more; not in `full`.
AFTER_TRAINING = {
  # The questions of the other world, in context.
  'forgetting': 'other_worlds',
  # The same questions, after what the model writes about their things.
  'recall': 'recalled',
}
# Runs to compare these with: what weights write that never saw the documents.
_BESIDE = {'forgetting': [], 'recall': ['context.kind=recalled']}


def sweep(*names: str) -> str:
  """The experiment's own settings, and the runs of these ablations."""
  grids = ABLATIONS | _BESIDE
  return ' | '.join(['', *(grid for name in names for grid in grids[name])])
