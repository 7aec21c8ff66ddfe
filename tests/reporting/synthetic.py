"""Cells and records made by hand, small or as large as a real study."""

import random

from icl_gen.reporting.records import AugmentationRecord, Cell
from icl_gen.types import ChoiceScore, Document, Fact, Origin, Question, Score

MAIN_KINDS = {
  'reversal': 'reversal',
  'syllogism': 'syllogism',
  'celebrity': 'reversal',
}
CHOICES = {'reversal': 2, 'syllogism': 6, 'celebrity': 4}


def choice(logp, *, tokens=1, characters=1, n_bytes=1, null=0.0):
  return ChoiceScore(
    logp=logp,
    tokens=tokens,
    characters=characters,
    bytes=n_bytes,
    logp_unconditional=null,
  )


def score(
  name, logps, *, answers=(0,), kind='reversal', stratum='', cluster=None
):
  return Score(
    question_id=name,
    kind=kind,
    stratum=stratum,
    cluster=name if cluster is None else cluster,
    answers=answers,
    choices=tuple(choice(logp) for logp in logps),
  )


def cell(right, *, world='reversal', condition='ft', model='nano', seed=0):
  """A cell of two-choice questions; `right` says which were answered right."""
  return Cell(
    world=world,
    condition=condition,
    model=model,
    seed=seed,
    scores=tuple(
      score(f'q{i}', (-1.0, -2.0) if ok else (-2.0, -1.0))
      for i, ok in enumerate(right)
    ),
  )


ACCURACIES = {
  ('reversal', 'reversal'): (0.5, 0.97, 0.42, 0.96),
  ('reversal', 'forward'): (0.5, 1.0, 1.0, 0.99),
  ('syllogism', 'syllogism'): (0.17, 0.72, 0.3, 0.55),
  ('celebrity', 'reversal'): (0.25, 0.93, 0.22, 0.87),
  ('celebrity', 'forward'): (0.26, 0.98, 0.96, 0.97),
}
STRATA = {('celebrity', 'reversal'): ('seen', 'unseen')}
CONDITIONS = ('pretrained', 'icl', 'ft', 'ft_aug')


def study(*, models=('nano',), seeds=(0, 1, 2), questions=60):
  """Cells and records that look like a finished study."""
  cells, records = [], []
  for model in models:
    loss = 0.0 if model == 'nano' else 0.12
    for world in CHOICES:
      for seed in seeds:
        cells += [
          _cell(world, c, model, seed, questions=questions, loss=loss)
          for c in CONDITIONS
        ]
        records.append(_record(world, model, seed, questions=questions))
  return tuple(cells), tuple(records)


def _cell(world, condition, model, seed, *, questions, loss):
  scores = []
  for (place, kind), levels in ACCURACIES.items():
    if place != world:
      continue
    level = levels[CONDITIONS.index(condition)]
    rng = random.Random(f'{world}{condition}{model}{seed}{kind}')
    for i in range(questions):
      logps = [-rng.uniform(5, 9) for _ in range(CHOICES[world])]
      logps[0] = -1.0 if rng.random() < level - loss * (level > 0.6) else -10.0
      stratum = _stratum(world, kind, i)
      scores.append(score(f'{kind}-{i}', logps, kind=kind, stratum=stratum))
  return Cell(world, condition, model, seed, tuple(scores))


def _stratum(world, kind, i):
  names = STRATA.get((world, kind), ('',))
  return names[i % len(names)]


def _record(world, model, seed, *, questions):
  rng = random.Random(f'{world}{model}{seed}')
  kinds = [kind for place, kind in ACCURACIES if place == world]
  asked = tuple(
    Question(
      id=f'{kind}-{i}',
      prompt='Which is it?',
      choices=tuple(f' c{c}' for c in range(CHOICES[world])),
      answers=(0,),
      kind=kind,
      target=Fact(f'{kind}{i}', 'is', 'x'),
      stratum=_stratum(world, kind, i),
    )
    for kind in kinds
    for i in range(questions)
  )
  documents = tuple(
    _document(f'{kind}-{i}', kind, rng.choice(asked).target, rng)
    for kind, number in (('local', 2 * questions), ('global', questions))
    for i in range(number)
  )
  return AugmentationRecord(
    world=world,
    model=model,
    seed=seed,
    documents=documents,
    questions=asked,
    costs={'tokens_in': 1200.0, 'tokens_out': 3400.5, 'seconds': 12.25},
  )


def _document(name, kind, fact, rng):
  weights = (0.55, 0.2, 0.08, 0.1, 0.07)
  names = ('entailed', 'stated', 'unknown', 'contradicted', 'unparsed')
  (found,) = rng.choices(names, weights)
  details = [('verdict', found)]
  if found == 'entailed':
    details.append(('hops', str(rng.choice((1, 1, 2)))))
  return Document(
    id=name,
    text=f'{fact.subject} <is> & was {fact.object}.',
    facts=(fact,) if found in ('entailed', 'stated') else (),
    origin=Origin(kind=kind, parents=('d0',), details=tuple(details)),
  )
