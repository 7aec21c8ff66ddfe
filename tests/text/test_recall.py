"""Cues are found in what a question says, not in what is right."""

import dataclasses

import pytest

from icl_gen.text import recall
from icl_gen.types import Document, Fact, Question
from icl_gen.worlds import catalog

SIZES = {
  'reversal': {'facts': 12, 'documents_per_fact': 3, 'swaps': True},
  'syllogism': {'examples': 16},
  'celebrity': catalog.SIZES['celebrity']['nano'],
  'semantic': catalog.SIZES['semantic']['nano'],
}
CORPORA = {
  name: catalog.build(name, seed=0, **size)[1] for name, size in SIZES.items()
}
FACT = Fact('glon', 'more tall', 'troff')
DOCUMENTS = [Document('a', 'Note that glon are more tall than troff.', (FACT,))]
ASKED = Question(
  id='q',
  prompt='My sister heard that troff are',
  choices=(' more tall than glon.', ' less tall than glon.'),
  answers=(1,),
  kind='reversal',
  premises=(FACT,),
  target=None,
)


def test_a_cue_is_the_opening_and_a_thing_that_is_named():
  find = recall.cues(DOCUMENTS)
  assert find(ASKED) == (
    'My sister heard that troff',
    'My sister heard that glon',
  )
  elsewhere = dataclasses.replace(ASKED, prompt='Glons, Troff')
  assert find(elsewhere) == ('Glons, Troff', 'Glons, glon')


@pytest.mark.parametrize('name', SIZES)
def test_cues_do_not_depend_on_what_is_right(name):
  corpus = CORPORA[name]
  find = recall.cues(corpus.documents)
  for question in corpus.questions:
    others = tuple(
      i for i in range(len(question.choices)) if i not in question.answers
    )
    unknowing = dataclasses.replace(
      question,
      choices=question.choices[::-1],
      answers=others[:1],
      premises=(),
      target=None,
    )
    assert set(find(unknowing)) == set(find(question))


@pytest.mark.parametrize('name', ['reversal', 'syllogism'])
def test_every_thing_of_the_target_is_cued_as_documents_begin(name):
  corpus = CORPORA[name]
  find = recall.cues(corpus.documents)
  openings = {document.text.split()[0] for document in corpus.documents}
  for question in corpus.questions:
    found = find(question)
    target = question.target
    for thing in (target.subject, target.object):
      assert any(cue.endswith(f' {thing}') for cue in found)
    assert {cue.split()[0] for cue in found} <= openings


def test_a_longer_name_is_not_cut():
  facts = (Fact('glon', 'is', 'glon of troff'),)
  find = recall.cues([Document('a', 'x', facts)])
  asked = dataclasses.replace(
    ASKED, prompt='The glon of troff is', choices=(' x', ' y')
  )
  assert find(asked) == ('The glon of troff',)


def test_there_may_be_nothing_to_recall():
  with pytest.raises(ValueError, match='state no known facts.*context.kind'):
    recall.cues([Document('a', 'Anything.')])
  asked = dataclasses.replace(ASKED, prompt='What', choices=(' a', ' b'))
  with pytest.raises(ValueError, match="question 'q' names nothing"):
    recall.cues(DOCUMENTS)(asked)


def test_questions_with_the_same_cues_share_a_context():
  recalled = {
    'a': [Document('1', 'One.'), Document('2', 'Two.')],
    'b': [Document('3', 'Three.'), Document('4', 'One.')],
    'c': [],
  }
  both = recall.context(recalled, ('a', 'b'), seed='s')
  assert both == recall.context(recalled, ('b', 'a'), seed='s')
  assert sorted(both.text.splitlines()) == ['- One.', '- Three.', '- Two.']
  assert both.left_out == 0
  # Without anything recalled, the question is asked as it is.
  for chat in (False, True):
    none = recall.context(recalled, ('c',), seed='s', chat=chat)
    assert (none.text, none.chat) == ('', chat)
