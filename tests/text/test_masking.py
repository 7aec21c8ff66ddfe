"""Tasks to restore a document: its words with blanks, then the whole of it."""

import re

import pytest

from icl_gen.text import masking
from icl_gen.types import Document, Fact

TEXT = "The book says: Glon Trask's well-known, 3.5 m tall and not old!"
WORDS = 12
DOCUMENTS = (
  Document('a', TEXT, (Fact('glon', 'is', 'old'),), prompt_length=9),
  Document('b', 'No.'),
)


def masked(documents=DOCUMENTS, *, copies=1, share=0.5, seed='0'):
  return masking.masked(documents, copies=copies, share=share, seed=seed)


def blanked(document):
  """The text with blanks of a task."""
  task = document.text[: document.prompt_length]
  before, _, after = masking.TASK.partition('{masked}')
  assert task.startswith(before) and task.endswith(after)
  return task[len(before) : -len(after)]


def test_the_picture_of_the_docstring():
  glon = [Document('x', 'Glon is old.')]
  tasks = masked(glon, copies=20, share=0.3)
  assert tasks[7].id == 'x/masked/7'
  assert {task.text for task in tasks} == {
    f'Fill in the blanks: {text}\nText: Glon is old.'
    for text in ('_ is old.', 'Glon _ old.', 'Glon is _.')
  }


def test_the_target_is_the_whole_document_and_the_rest_is_prompt():
  for document, task in zip(DOCUMENTS, masked(), strict=True):
    assert task.text[task.prompt_length :] == document.text
    assert task.facts == ()


def test_blanks_stand_for_words_and_nothing_else_changes():
  for copies in (1, 5):
    for task in masked(DOCUMENTS[:1], copies=copies):
      pattern = re.escape(blanked(task)).replace('_', r"[\w\-'.]+")
      assert re.fullmatch(pattern, TEXT)
      assert blanked(task).endswith('!')


@pytest.mark.parametrize(
  ('share', 'count'), [(0.01, 1), (0.25, 3), (0.5, 6), (1.0, WORDS)]
)
def test_the_share_of_the_words_is_blanked(share, count):
  task, alone = masked(share=share)
  assert blanked(task).count('_') == count
  assert blanked(alone) == '_.'  # at least one


def test_without_a_share_every_copy_has_its_own():
  counts = [
    blanked(task).count('_')
    for task in masked(DOCUMENTS[:1], copies=300, share=0.0)
  ]
  assert set(counts) == set(range(1, WORDS + 1))
  assert abs(sum(counts) / 300 - WORDS / 2) < 0.7


def test_what_is_blanked_depends_on_names_only():
  """Not on other documents, and of fewer copies the same ones are there."""
  whole = masked(copies=3)
  assert len({task.id for task in whole}) == len(whole) == 6
  assert masked(DOCUMENTS[::-1], copies=3) == whole[3:] + whole[:3]
  assert set(masked(copies=2)) < set(whole)
  assert len({blanked(task) for task in whole[:3]}) == 3
  assert masked(copies=3, seed='1')[:3] != whole[:3]


def test_a_text_without_words_has_nothing_to_restore():
  (task,) = masked([Document('signs', '?!')])
  assert blanked(task) == '?!'


def test_accents_and_vowel_signs_are_parts_of_words():
  document = Document('d', 'Zoe\u0308 चक्की')
  (task,) = masking.masked([document], copies=1, share=1, seed='s')
  assert task.text.startswith('Fill in the blanks: _ _\n')
