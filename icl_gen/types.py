"""The nouns of the project: frozen records that all other modules exchange.

Letters used in array names throughout the code:
  B batch, L length (tokens of a row), S length of the keys, V vocabulary,
  D model width, N query heads, K key/value heads, G query heads per key/value
  head, H head width, P prefix length, C choices, Q questions. Of targets, K is
  the tokens of a distribution.

This module imports the standard library only, so that our files can be read
on a laptop without JAX. A new field of `Document`, `Question`, `ChoiceScore`
or `Score` is stored without further changes: the layouts on disk are derived
from these classes.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, order=True)
class Fact:
  """One ground statement of a world, e.g. ('glon', 'more dangerous', 'troff').

  Attributes:
    subject: the entity that the fact is about.
    relation: name of the relation in the world's grammar.
    object: the entity or property that the relation leads to.
  """

  subject: str
  relation: str
  object: str


@dataclasses.dataclass(frozen=True)
class Entailment:
  """A fact that no document states but that follows from given facts.

  Attributes:
    fact: the entailed fact.
    premises: a minimal set of given facts that entails it.
    hops: rule applications in the shortest derivation; 1 or more.
  """

  fact: Fact
  premises: tuple[Fact, ...]
  hops: int


@dataclasses.dataclass(frozen=True)
class World:
  """What is true: given facts and their logical closure.

  Attributes:
    name: the world's name, e.g. 'reversal'.
    facts: the given facts, in the order of generation.
    entailed: facts that follow and are not given, each with its premises.
    contradicted: facts that the world excludes. A fact in none of the three
      sets is unknown.
  """

  name: str
  facts: tuple[Fact, ...]
  entailed: tuple[Entailment, ...]
  contradicted: frozenset[Fact] = frozenset()


@dataclasses.dataclass(frozen=True)
class Origin:
  """Where a document comes from.

  Attributes:
    kind: 'given' for documents of the world, else the augmentation kind.
    parents: ids of the documents that the text was generated from.
    details: how the text was generated (prompt, model, seed, ...); (name,
      value) pairs rather than a dict so that records stay hashable.
  """

  kind: str = 'given'
  parents: tuple[str, ...] = ()
  details: tuple[tuple[str, str], ...] = ()


GIVEN = Origin()


@dataclasses.dataclass(frozen=True)
class Document:
  """One training text.

  Attributes:
    id: unique in its corpus; the same in every run with the same seed.
    text: the text itself.
    facts: the facts that the text asserts, as far as they are known.
    prompt_length: number of leading characters that are a prompt, on which
      completion-only loss is not taken; 0 for no prompt.
    origin: given, or how the text was generated.
  """

  id: str
  text: str
  facts: tuple[Fact, ...] = ()
  prompt_length: int = 0
  origin: Origin = GIVEN


@dataclasses.dataclass(frozen=True)
class Question:
  """A multiple-choice question, scored by the likelihood of every choice.

  Attributes:
    id: unique in its corpus; the same in every run with the same seed.
    prompt: the text before the choice; may be empty.
    choices: possible continuations of the prompt, leading space included.
    answers: indices of the right choices; more than one where choices are
      logically equivalent. The question is answered correctly if the most
      likely choice is one of them.
    kind: what is tested ('forward', 'reversal', ...): the x axis of figures.
    premises: given facts that the answer follows from.
    target: the fact that the right choice states, if the world has one; a
      document that asserts it covers the question.
    stratum: a subdivision of the kind; '' for none.
  """

  id: str
  prompt: str
  choices: tuple[str, ...]
  answers: tuple[int, ...]
  kind: str
  premises: tuple[Fact, ...] = ()
  target: Fact | None = None
  stratum: str = ''

  def __post_init__(self) -> None:
    if len(set(self.choices)) != len(self.choices):
      raise ValueError(f'question {self.id!r} repeats a choice: {self.choices}')
    if not self.answers or not all(
      0 <= a < len(self.choices) for a in self.answers
    ):
      raise ValueError(
        f'question {self.id!r} has answers {self.answers}; allowed are one or'
        f' more indices from 0 to {len(self.choices) - 1}'
      )

  @property
  def chance(self) -> float:
    """Accuracy of choosing at random, from 0 to 1."""
    return len(set(self.answers)) / len(self.choices)

  @property
  def cluster(self) -> str:
    """Identifies the facts underlying the answer; the unit of intervals.

    Questions with the same premises share a cluster: one person for all
    phrasings of a celebrity in both directions, one fact of a reversal, one
    example of a syllogism. Without premises the target takes their place, and
    without a target the prompt with its right answers. Sets of premises that
    merely overlap are different clusters, since in `semantic` a chain of
    shared facts connects any two questions.
    """
    facts = self.premises or (() if self.target is None else (self.target,))
    named: list[Any] = [
      [f.subject, f.relation, f.object] for f in sorted(set(facts))
    ] or [
      self.prompt,
      *sorted(self.choices[answer] for answer in set(self.answers)),
    ]
    return json.dumps(named, ensure_ascii=False)


@dataclasses.dataclass(frozen=True)
class Corpus:
  """Documents and the questions about them: the unit that is stored on disk.

  Attributes:
    name: the corpus's name, also a file name.
    documents: training texts.
    questions: test questions; training and augmentation never read them.
    manifest: counts, seeds, sizes and hashes; JSON values only.
  """

  name: str
  documents: tuple[Document, ...]
  questions: tuple[Question, ...]
  manifest: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Targets:
  """Distributions that a model is trained to predict, in place of tokens.

  Attributes:
    ids_BxLxK: int32 distinct ids; what is left over has a share of 0.
    shares_BxLxK: float32 probabilities, of which those of a place add up to 1.
  """

  ids_BxLxK: Any
  shares_BxLxK: Any


@dataclasses.dataclass(frozen=True)
class Batch:
  """Rows of tokens, for training and for scoring without a prefix cache.

  Attributes:
    tokens_BxL: int32 token ids; 0 is padding.
    weights_BxL: float32 loss weight of predicting `tokens_BxL[b, l]`; 0 on
      padding and on the first token of each segment.
    positions_BxL: int32 position of the token in its segment, from 0.
    segments_BxL: int32 segment number from 1; 0 is padding. A token attends
      only within its segment.
    targets: what is to be predicted in place of `tokens_BxL[b, l]`; None: that
      token.
  """

  tokens_BxL: Any
  weights_BxL: Any
  positions_BxL: Any
  segments_BxL: Any
  targets: Targets | None = None


@dataclasses.dataclass(frozen=True)
class ChoiceScore:
  """Log-probability of one choice given its prompt (and context).

  Attributes:
    logp: sum of the natural-log probabilities of the choice's tokens, float32.
    tokens: number of tokens scored.
    characters: length of the choice without leading whitespace.
    bytes: length in UTF-8 of the choice without leading whitespace.
    logp_unconditional: the same sum given BOS alone.
  """

  logp: float
  tokens: int
  characters: int
  bytes: int
  logp_unconditional: float


@dataclasses.dataclass(frozen=True)
class Score:
  """The result of scoring one question; statistics are computed from these.

  Attributes:
    question_id: id of the question.
    kind: the question's kind.
    stratum: the question's stratum.
    cluster: the question's cluster. Questions that share it, under whatever
      seed, are not independent evidence: it is the unit of intervals and tests.
    answers: indices of the right choices.
    choices: one record per choice, in the question's order.
    written: the text that the model sampled after the prompt; None if it was
      not sampled.
    exact: whether that text is a right choice, word for word; None if it was
      not sampled.
  """

  question_id: str
  kind: str
  stratum: str
  cluster: str
  answers: tuple[int, ...]
  choices: tuple[ChoiceScore, ...]
  written: str | None = None
  exact: bool | None = None
