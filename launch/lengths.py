"""How long the contexts and rows of a stage are, as its corpus will have it."""

import functools
import pathlib
from collections.abc import Callable

from icl_gen import assets
from icl_gen.runs import buffers, directories, in_context, models, stages
from icl_gen.runs.experiments import Experiment
from icl_gen.text import context as contexts
from icl_gen.text import recall, tokens
from icl_gen.text.prompts import Text
from icl_gen.types import Corpus
from icl_gen.worlds import catalog


class Lengths:
  """Counts tokens in corpora that it makes, in memory, and keeps."""

  def __init__(self) -> None:
    """Begins without any."""
    self._corpora: dict[tuple[str, int, str], Corpus] = {}

  def of_questions(self, experiment: Experiment) -> int:
    """The buffer of the context of condition 'icl'; of several, the longest.

    Of what is recalled, the longest that it may be.

    Raises:
      ValueError: the corpus, or the context, cannot be.
    """
    if in_context.is_recalled(experiment):
      return self._of_recalled(experiment)
    count = _count(experiment)
    found = in_context.context(
      experiment,
      self._corpus(experiment),
      name=_name(experiment),
      count_tokens=count,
    )
    every = [found] if isinstance(found, contexts.Context) else found
    return _buffer(max(count(one.before) for one in every))

  def _of_recalled(self, experiment: Experiment) -> int:
    corpus = self._corpus(experiment)
    find = recall.cues(corpus.documents)
    cues = max(len(find(question)) for question in corpus.questions)
    samples = cues * experiment.context.documents
    return _buffer(1 + samples * experiment.augment.max_tokens)  # 1 for BOS

  def of_inferences(self, experiment: Experiment) -> int:
    """The buffer of the context that global inferences are sampled after.

    Raises:
      ValueError: as `of_questions`.
    """
    count = _count(experiment)
    found = in_context.of_inferences(
      experiment,
      self._corpus(experiment).documents,
      name=_name(experiment),
      count_tokens=count,
    )
    return _buffer(1 + count(found.before))  # 1 for BOS

  def of_rows(self, experiment: Experiment) -> int:
    """Tokens of a row of training; if not set, of the longest document.

    Raises:
      ValueError: the corpus cannot be.
    """
    if experiment.train.length:
      return experiment.train.length
    count = _count(experiment)
    every = self._corpus(experiment).documents
    longest = max(count(one.text) for one in every)
    return buffers.row(0, longest=2 + longest)  # 2 for BOS and EOS

  def _corpus(self, experiment: Experiment) -> Corpus:
    world, seed, size = experiment.world, experiment.seed, experiment.size
    key = world, seed, repr(size)
    if key not in self._corpora:
      self._corpora[key] = catalog.build(world, seed=seed, **size)[1]
    return self._corpora[key]


def is_guess(experiment: Experiment) -> bool:
  """Whether tokens are counted with a tokenizer that is not the model's."""
  return experiment.model not in models.NANO and not _own(experiment)


def _buffer(length: int) -> int:
  return buffers.bucket(length, chunk=buffers.CHUNK)


def _name(experiment: Experiment) -> str:
  return directories.corpus(
    '', world=experiment.world, seed=experiment.seed
  ).name


def _count(experiment: Experiment) -> Callable[[Text], int]:
  return _tokenizer(_own(experiment) or assets.path('tokenizer.model')).count


@functools.cache
def _tokenizer(path: str) -> tokens.Tokenizer:
  return tokens.load(path)


def _own(experiment: Experiment) -> str:
  """The tokenizer that is given, if it is on this machine; else ''."""
  path = stages.tokenizer(experiment)
  return path if path and pathlib.Path(path).is_file() else ''
