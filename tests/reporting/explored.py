"""A study whose corpora are there, with texts that try to be markup."""

import dataclasses

from icl_gen.reporting.records import AugmentationRecord, Cell
from icl_gen.types import Corpus, Document, Fact, Origin, Question, Score
from tests.reporting.synthetic import choice

# Ends a script or a string, asks the network, reorders what follows it.
POISON = (
  '</script><script>window.broken=1</script><img src="https://example.org/x"'
  ' onerror="window.broken=1">\'"`${window.broken=1}\\u003c\u2028\u202e&amp;'
)
MAIN_KINDS = {'reversal': 'reversal', 'custom': 'own'}
CONDITIONS = ('icl', 'ft', 'ft_aug')
# (world, seed) -> question -> how its answer follows; of the others, nothing is
# known.
DERIVED = {
  ('reversal', 1): {
    'reversal-39': (
      'thing 39 is less tall than other 1',
      'other 1 is more tall than thing 39',
    )
  }
}
QUESTIONS = 130


def study():
  """Cells, records and corpora of two worlds and two seeds."""
  cells, records, corpora = [], [], {}
  for seed in (0, 1):
    corpora['reversal', seed] = corpus = _reversal(seed)
    cells += [_cell('reversal', c, seed, corpus) for c in CONDITIONS]
    records.append(_record(seed, corpus))
    corpora['custom', seed] = corpus = _custom()
    cells += [_cell('custom', c, seed, corpus) for c in CONDITIONS]
  return tuple(cells), tuple(records), corpora


def recalling():
  """A model fine-tuned on comparisons recalls, and answers as in context."""
  found = []
  for seed in (0, 1):
    corpus = _reversal(seed)
    recalled = {
      question.id: _recalled(number, seed)
      for number, question in enumerate(corpus.questions)
    }
    cell = _cell('reversal', 'icl', seed, corpus)
    found.append(
      dataclasses.replace(cell, run='recalled_ft', recalled=recalled)
    )
  return tuple(found)


def _recalled(number, seed):
  """Two texts, one of them true; of 2 nothing, of 0 the odd one."""
  texts = {
    f'thing {number} recalled under seed {seed}.{_odd(number)}': 'entailed',
    f'thing {number} is tall.': 'contradicted',
  }
  return tuple(
    Document(
      f'recalled/{number}/{text}',
      text,
      origin=Origin(
        'recalled',
        (f'thing {number}',),
        (('verdict', verdict), ('hops', '1')),
      ),
    )
    for text, verdict in texts.items()
    if number != 2
  )


def fact(number, seed):
  return Fact(f'thing {number}', 'less tall', f'other {seed}')


def _reversal(seed):
  """Two documents per fact and one question; the documents of 0 are odd."""
  documents = [
    Document(
      id=f'd{n}-{k}',
      text=f'Seed {seed}: thing {n} is less tall, says {k}. {_odd(n)}',
      facts=(fact(n, seed),),
    )
    for n in range(QUESTIONS)
    for k in range(8 if n == 0 else 2)
  ]
  documents.append(Document('alone', 'Nobody asks.', (Fact('a', 'b', 'c'),)))
  questions = [
    Question(
      id=f'reversal-{n}',
      prompt=f'Under seed {seed}, other is{_odd(n)}',
      choices=(' less tall.', f' more tall than {n}.{_odd(n)}'),
      answers=(1,),
      kind='reversal',
      premises=(fact(n, seed),),
      target=Fact(f'other {seed}', 'more tall', f'thing {n}'),
      stratum='even' if n % 2 == 0 else 'odd',
    )
    for n in range(QUESTIONS)
  ]
  return Corpus(f'reversal-s{seed}', tuple(documents), tuple(questions))


def _odd(number):
  return POISON if number == 0 else ''


def _custom():
  """The user's own question, the same under every seed; nothing is known."""
  question = Question('own-0', 'Built by', (' Brekke', ' Maar'), (0,), 'own')
  return Corpus('custom', (Document('mill', 'Brekke built it.'),), (question,))


def _cell(world, condition, seed, corpus):
  """In context all is right; fine-tuned nothing; augmented if n is below 40."""
  scores = []
  for number, question in enumerate(corpus.questions):
    right = condition == 'icl' or (condition == 'ft_aug' and number < 40)
    logps = [-9.0, -9.0]
    (answer,) = question.answers
    logps[answer if right else 1 - answer] = -1.0 - number / 1000
    scores.append(
      Score(
        question_id=question.id,
        kind=question.kind,
        stratum=question.stratum,
        cluster=question.cluster,
        answers=question.answers,
        choices=tuple(choice(logp) for logp in logps),
        written=_odd(number) or None,
        exact=False if _odd(number) else None,
      )
    )
  return Cell(world, condition, 'nano', seed, tuple(scores))


def _record(seed, corpus):
  """Inferences from the first documents of all facts, true below 40."""
  documents = []
  for number, question in enumerate(corpus.questions):
    verdict = 'entailed' if number < 40 else 'unparsed'
    documents.append(
      Document(
        id=f'local/{number}',
        text=f'thing {number} inferred under seed {seed}. {_odd(number)}',
        facts=(question.target,) if number < 40 else (),
        origin=Origin(
          'local',
          (f'd{number}-0',),
          (('verdict', verdict), ('hops', '1')),
        ),
      )
    )
  # From the documents of another fact than the one that it states.
  stray = corpus.questions[39].target
  documents.append(
    Document(
      'global/0',
      'A stray one.',
      (stray,),
      origin=Origin('global', ('d2-0',), (('verdict', 'stated'),)),
    )
  )
  return AugmentationRecord(
    'reversal',
    'nano',
    seed,
    tuple(documents),
    corpus.questions,
    {'local tokens_out': 300.0, 'global tokens_out': 100.0, 'local seconds': 8},
  )
