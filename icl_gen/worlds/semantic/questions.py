"""The semantic world's questions, with wrong choices of fair likelihood."""

import collections
import functools
import itertools
import random
from collections.abc import Sequence

from icl_gen.text import categories
from icl_gen.types import Document, Fact, Question, World
from icl_gen.worlds import balance, baselines, logic
from icl_gen.worlds.semantic import documents as texts

KINDS = ('rephrase', 'reversal', 'syllogism', 'deduction', 'holdout')
CHOICES = 4
_PROPERTIES = ('has', 'is')

_Target = tuple[Fact, tuple[Fact, ...]]  # a fact and its premises


def questions(
  world: World,
  holdouts: set[str],
  documents: Sequence[Document],
  *,
  most: int,
  forms: str,
  reworded: bool,
  seed: str,
) -> tuple[list[Question], dict[str, int]]:
  """Draws the questions of every kind.

  Args:
    world: what is true.
    holdouts: the nouns of the held-out categories.
    documents: all documents, whose word statistics wrong choices must match.
    most: the most questions of each kind but 'holdout', which has no limit.
    forms: the part of the tables that wordings are drawn from, one of
      `forms.split.PARTS`.
    reworded: whether 'rephrase' questions are in words that no document has;
      otherwise they are the documents' words after a preamble.
    seed: name of the world's random draw.

  Returns:
    the questions, and by kind the number of targets left out for want of fair
    wrong choices. Targets beyond `most` are not counted.
  """
  lures = _Lures(world, documents)
  made: list[Question] = []
  unasked: dict[str, int] = {}
  for kind, targets in _targets(world, holdouts).items():
    asked: collections.Counter[str] = collections.Counter()
    waiting = _in_turns(targets, seed=f'{seed}/{kind}')
    while waiting:
      before, left_out = len(waiting), []
      for fact, premises in waiting:
        if kind != 'holdout' and asked.total() == most:
          break
        group = f'{kind}-{stratum(fact)}'
        said = categories.said(fact, part=forms)
        if reworded and kind == 'rephrase':
          said = categories.reworded(fact, part=forms)
        wrong = lures.draw(fact, said, group=group, seed=f'{seed}/{kind}')
        if not wrong:
          left_out.append((fact, premises))
          continue
        made.append(
          _question(
            kind,
            asked[group],
            fact,
            premises,
            wrong,
            said=said,
            forms=forms,
            seed=seed,
          )
        )
        asked[group] += 1
      # The questions made meanwhile may have made room for those left out.
      waiting = left_out if len(left_out) < before else []
      unasked[kind] = len(left_out)
  return made, unasked


def stratum(fact: Fact) -> str:
  """Whether the fact relates a category to a property or to a category."""
  is_property = categories.base(fact.relation) in _PROPERTIES
  return 'property' if is_property else 'relation'


def _targets(world: World, holdouts: set[str]) -> dict[str, list[_Target]]:
  """The facts to ask for, by kind of question."""
  targets: dict[str, list[_Target]] = {kind: [] for kind in KINDS}
  for fact in world.facts:
    targets['rephrase'].append((fact, (fact,)))
    targets['reversal'].append((categories.flip(fact), (fact,)))
  for entailment in world.entailed:
    fact, premises = entailment.fact, entailment.premises
    if categories.is_inverse(fact.relation) or len(premises) == 1:
      continue
    if fact.subject in holdouts:
      targets['holdout'].append((fact, premises))
    elif not any(
      categories.is_inverse(premise.relation) for premise in premises
    ):
      # With an inverse premise, the question would need a reversal as well.
      kind = 'syllogism' if len(premises) == 2 else 'deduction'
      targets[kind].append((fact, premises))
  return targets


def _in_turns(targets: Sequence[_Target], *, seed: str) -> list[_Target]:
  """In random order, but alternating between the strata while both last."""
  by_stratum: dict[str, list[_Target]] = {'property': [], 'relation': []}
  for target in random.Random(seed).sample(targets, len(targets)):
    by_stratum[stratum(target[0])].append(target)
  turns = itertools.zip_longest(*by_stratum.values())
  return [target for target in itertools.chain(*turns) if target]


def _question(
  kind: str,
  i: int,
  fact: Fact,
  premises: tuple[Fact, ...],
  wrong: Sequence[str],
  *,
  said: str,
  forms: str,
  seed: str,
) -> Question:
  name = f'{kind}-{stratum(fact)}'
  if kind == 'rephrase':
    # Documents contain the plain form, so the question needs another wording.
    preamble = balance.nth(
      texts.question_preambles(forms), i, seed=f'{seed}/preambles'
    )
    said = f'{preamble} {said}'
  prompt, right = categories.sentence(said).removesuffix('.').rsplit(' ', 1)
  assert right == fact.object, (right, fact)
  choices, answers = balance.arrange(
    [f' {right}.'],
    [f' {word}.' for word in wrong],
    index=i,
    seed=f'{seed}/{name}',
  )
  return Question(
    id=f'{name}-{i:04d}',
    prompt=prompt,
    choices=choices,
    answers=answers,
    kind=kind,
    premises=premises,
    target=fact,
    stratum=stratum(fact),
  )


class _Lures:
  """Draws wrong choices that an n-gram model finds as likely as the right one.

  Wrong choices are true of another category. The model scores each choice after
  the words that follow the subject in the prompt. Within a group of questions,
  its favourite choice is right only as often as a guess: for some questions a
  wrong choice is likelier than the right one. A target is left out if the world
  has no such wrong choices.
  """

  def __init__(self, world: World, documents: Sequence[Document]):
    facts = logic.true_facts(world)
    self._true = set(facts)
    self._objects: dict[str, dict[str, None]] = {}
    for fact in facts:
      self._objects.setdefault(fact.relation, {})[fact.object] = None
    self._merit = functools.cache(
      baselines.ngram_merit((document.text for document in documents), order=4)
    )
    # By group: the model's hits above chance.
    self._excess: dict[str, float] = collections.defaultdict(float)
    # By group and number of likelier wrong choices: how many questions.
    self._likelier: collections.Counter[tuple[str, int]] = collections.Counter()

  def draw(self, fact: Fact, said: str, *, group: str, seed: str) -> list[str]:
    """Draws CHOICES - 1 objects; an empty list if there are too few.

    Args:
      fact: what the right choice states.
      said: the words of the question with its right choice.
      group: the questions among which likelihood must carry no information.
      seed: name of the random draw.
    """
    count = CHOICES - 1
    phrase = said.rsplit(' ', 1)[0].split(fact.subject)[1]
    right = self._merit(phrase, f' {fact.object}.')
    merit = {
      word: self._merit(phrase, f' {word}.')
      for word in self._objects[fact.relation]
      if word != fact.subject
      and Fact(fact.subject, fact.relation, word) not in self._true
    }
    words = random.Random(f'{seed}/{fact}').sample([*merit], len(merit))
    words.sort(key=lambda word: abs(merit[word] - right))
    above = [word for word in words if merit[word] > right]
    others = [word for word in words if merit[word] <= right]
    possible = [
      n for n in range(CHOICES) if n <= len(above) and count - n <= len(others)
    ]
    wanted = [n for n in possible if (n > 0) == (self._excess[group] > 0)]
    if not wanted:
      return []
    n = min(wanted, key=lambda n: self._likelier[group, n])
    drawn = above[:n] + others[: count - n]
    self._likelier[group, n] += 1
    ties = sum(merit[word] == right for word in drawn)
    self._excess[group] += (0 if n else 1 / (1 + ties)) - 1 / CHOICES
    return drawn
