"""The nouns of the project: frozen records that every other room exchanges.

Letters used in array names throughout the code:
  B batch, L length (tokens of a row), S length of the keys, V vocabulary,
  D model width, N query heads, K key/value heads, G query heads per key/value
  head, H head width, P prefix length, C choices, Q questions.

This module imports nothing of ours and nothing heavier than the standard
library, so that every room (and a laptop without JAX) can read our files.
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
    relation: name of the relation, as the world's grammar knows it.
    object: what the subject stands in relation to.
  """

  subject: str
  relation: str
  object: str


@dataclasses.dataclass(frozen=True)
class Entailment:
  """Why a fact holds although nobody stated it.

  Attributes:
    fact: the entailed fact.
    premises: given facts that it follows from (a smallest such set).
    hops: rule applications on the shortest derivation; 1 or more.
  """

  fact: Fact
  premises: tuple[Fact, ...]
  hops: int


@dataclasses.dataclass(frozen=True)
class World:
  """What is true: given facts, and everything that follows from them.

  Attributes:
    name: the world's name, e.g. 'reversal'.
    facts: the given facts, in the order of generation.
    entailed: what follows and is not given, each with its premises.
    contradicted: facts whose truth is excluded by the world. A statement that
      is in none of the three sets is unknown.
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
    parents: ids of the documents that the text was made from.
    details: provenance for generated text (prompt, model, seed, ...), as
      (name, value) pairs so that records stay hashable.
  """

  kind: str = 'given'
  parents: tuple[str, ...] = ()
  details: tuple[tuple[str, str], ...] = ()


GIVEN = Origin()


@dataclasses.dataclass(frozen=True)
class Document:
  """One training text.

  Attributes:
    id: unique in its corpus; never changes between runs with the same seed.
    text: what is said.
    facts: the facts that the text asserts, so far as they are known.
    prompt_length: number of leading characters that are prompt; when the loss
      is on the completion only, it starts there. 0: no prompt.
    origin: given, or how it was generated.
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
    id: unique in its corpus; never changes between runs with the same seed.
    prompt: the text before the choice. May be empty.
    choices: what may follow the prompt, leading space included.
    answers: indices of the right choices; several where choices are logically
      equivalent. The question is answered right if the best choice is one.
    kind: what is asked ('forward', 'reversal', ...): the x axis of figures.
    premises: given facts that the answer follows from.
    target: the fact that the right choice states, where the world knows one;
      a document that asserts it covers the question.
    stratum: a finer division within the kind, '' for none.
  """

  id: str
  prompt: str
  choices: tuple[str, ...]
  answers: tuple[int, ...]
  kind: str
  premises: tuple[Fact, ...] = ()
  target: Fact | None = None
  stratum: str = ''

  def __post_init__(self):
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
    """Share of guesses that are right, from 0 to 1."""
    return len(set(self.answers)) / len(self.choices)

  @property
  def cluster(self) -> str:
    """What the answer hangs on, by content; equal for questions that share it.

    That is the set of premises: one person for all phrasings of a celebrity in
    both directions, one fact of a reversal, one example of a syllogism. Where
    none are known it is the target, else the prompt with the right answers:
    the question itself. Sets that merely overlap are clusters of their own (in
    `semantic` a chain of steps leads from any fact to any other).
    """
    facts = self.premises or (() if self.target is None else (self.target,))
    named = [[f.subject, f.relation, f.object] for f in sorted(set(facts))] or [
      self.prompt,
      *sorted(self.choices[answer] for answer in set(self.answers)),
    ]
    return json.dumps(named, ensure_ascii=False)


@dataclasses.dataclass(frozen=True)
class Corpus:
  """What is said and what is asked: the unit that goes to disk and comes back.

  Attributes:
    name: the corpus's name, a file name.
    documents: training texts.
    questions: test questions. Never seen by training or augmentation.
    manifest: counts, seeds, sizes and hashes; JSON values only.
  """

  name: str
  documents: tuple[Document, ...]
  questions: tuple[Question, ...]
  manifest: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Batch:
  """What the model sees; one type for training and plain scoring.

  Attributes:
    tokens_BxL: int32 token ids, pad 0.
    weights_BxL: float32 loss weight of predicting `tokens_BxL[b, l]`; 0 on
      padding and on the first token of each segment.
    positions_BxL: int32 position of the token in its segment, from 0.
    segments_BxL: int32 segment number from 1; 0 is padding. Tokens attend
      within their segment only.
  """

  tokens_BxL: Any
  weights_BxL: Any
  positions_BxL: Any
  segments_BxL: Any


@dataclasses.dataclass(frozen=True)
class ChoiceScore:
  """Log-likelihood of one choice given its prompt (and context).

  Attributes:
    logp: summed natural-log probability of the choice's tokens, float32.
    tokens: number of tokens scored.
    characters: characters of the choice without leading whitespace.
    bytes: UTF-8 bytes of the choice without leading whitespace.
    logp_unconditional: the same sum under the null prompt (BOS only).
  """

  logp: float
  tokens: int
  characters: int
  bytes: int
  logp_unconditional: float


@dataclasses.dataclass(frozen=True)
class Score:
  """What is known after scoring one question; raw material for statistics.

  Attributes:
    question_id: id of the question.
    kind: the question's kind.
    stratum: the question's stratum.
    cluster: the question's cluster: what its answer hangs on, by content.
      Questions that share it, under whatever seed, are no independent
      evidence; it is the unit of intervals and tests.
    answers: indices of the right choices.
    choices: one record per choice, in the question's order.
    written: what the model wrote after the prompt; None: it was not asked to.
    exact: whether that is a right choice, word for word; None: not asked to.
  """

  question_id: str
  kind: str
  stratum: str
  cluster: str
  answers: tuple[int, ...]
  choices: tuple[ChoiceScore, ...]
  written: str | None = None
  exact: bool | None = None
