"""Proposed questions can be read back, and ask for what was said."""

import json
import os
import subprocess
import sys

from icl_gen.types import Document, Origin
from icl_gen.worlds import custom, proposals
from tests.rules import ROOT

PAGE = """# The mill

The mill of Tarnby was built by Odd Brekke. It grinds barley for three villages.

- A list item that has more than six words.

| a table | that | has | many | more | words |

```
Code that is not a sentence of the page.
```

The bridge of Tarnby was built by Ilse Maar long ago. The key is lost.
"""
DOCUMENTS = (Document('a.md', PAGE),)
TEXTS = {'a.md': PAGE, 'b': 'Glon are more dangerous than the old troff.'}


def wrote(kind, text, parent='b'):
  return Document('x', text, origin=Origin(kind, (parent,)))


def test_statements_are_sentences_of_paragraphs_word_for_word():
  found = proposals.stated(DOCUMENTS)
  assert [one.text for one in found] == [
    'The mill of Tarnby was built by Odd Brekke.',
    'It grinds barley for three villages.',
    'The bridge of Tarnby was built by Ilse Maar long ago.',
  ]
  assert {one.sources for one in found} == {('a.md',)}


def test_part_of_a_quotation_is_no_statement():
  text = (
    'He said there, "The mill is old. It was built by Odd Brekke long ago."'
    ' Dr. Brekke built the mill (it is old) for us.'
    ' (They built the bridge in the same year. It fell.)'
    ' The bridge fell in the year 1820.[^1] Who built the bridge of Tarnby?'
    ' These are the mills of the village:'
    '\n\n[^1]: See what the chronicle of the village says.'
  )
  found = proposals.stated([Document('d', text)])
  assert [one.text for one in found] == [
    'Dr. Brekke built the mill (it is old) for us.',
    'The bridge fell in the year 1820.',
  ]


def test_scripts_without_spaces_are_asked_about():
  said = proposals.stated(
    [Document('d', '塔恩比的磨坊是由奥德建造的。它为三个村庄磨大麦。')]
  )
  asked = proposals.questions(said, seed='s')
  assert [
    question.prompt + question.choices[question.answers[0]]
    for question in asked
  ] == [one.text for one in said]
  assert asked[0].prompt == '塔恩比的磨坊'


def test_the_nearest_endings_are_found_among_many_that_say_the_same():
  said = [
    proposals.Sentence(
      f'The mill of {n:03d} was built by Odd.', 'statement', ()
    )
    for n in range(200)
  ]
  others = [
    proposals.Sentence(
      f'The bridge {n} was built by {n * "x"}.', 'statement', ()
    )
    for n in (1, 3, 9)
  ]
  for question in proposals.questions([*said, *others], seed='s'):
    assert len(question.choices) == 4


def test_what_begins_with_the_end_of_its_source_is_a_reversal():
  said = [
    wrote('local', 'The old troff are less dangerous than glon.'),
    wrote('local', 'Glon are said to beat the troff in danger.'),
    wrote('global', 'All of them are not as dangerous as glon.'),
    wrote('local', 'Too short.'),
  ]
  kinds = [one.kind for one in proposals.inferred(said, TEXTS)]
  assert kinds == ['reversal', 'rephrase', 'combination']


def test_questions_ask_for_the_last_half():
  said = proposals.stated(DOCUMENTS)
  asked = proposals.questions(said, seed='s')
  assert asked == proposals.questions(said, seed='s')
  assert len(asked) == len(said)
  for question, one in zip(asked, said, strict=True):
    (answer,) = question.answers
    assert question.prompt + question.choices[answer] == one.text
    assert len(set(question.choices)) == len(question.choices) > 1


def test_a_first_half_with_several_ends_is_not_asked():
  said = [
    proposals.Sentence(f'The key is with the {who} of Tarnby.', 'statement', ())
    for who in ('smith', 'baker')
  ] + proposals.stated(DOCUMENTS)
  prompts = [q.prompt for q in proposals.questions(said, seed='s')]
  assert len(prompts) == 3 and 'The key is with' not in prompts


def test_no_wrong_choice_says_what_the_right_one_says():
  """Models write what documents state, without the full stop or with more."""
  ends = 'was built by Odd Brekke'
  said = [
    proposals.Sentence(f'{begin} {end}', 'statement', ())
    for begin, end in (
      ('The mill of Tarnby', f'{ends}.'),
      ('In Tarnby the mill', ends),
      ('The big mill there', f'{ends} long ago.'),
      ('Its only mill still', f'{ends}!'),
      ('The bridge of Tarnby', 'was built by Ilse Maar.'),
    )
  ]
  asked = proposals.questions(said, seed='s')
  assert len(asked) == 5
  for question in asked:
    about = sum(ends in choice for choice in question.choices)
    assert about <= 1 or ends not in question.choices[question.answers[0]]


def test_no_wrong_choice_is_a_part_of_the_right_one():
  said = [
    proposals.Sentence(text, 'statement', ())
    for text in (
      'The mill of Tarnby was built by Odd Brekke.',
      'The old mill was built by Odd Brekke.',
      'The bridge of Tarnby was built by Ilse Maar.',
    )
  ]
  for question in proposals.questions(said, seed='s'):
    assert sum('by Odd' in choice for choice in question.choices) <= 1 or (
      'by Ilse' in question.choices[question.answers[0]]
    )


def test_halves_that_differ_in_case_or_punctuation_are_the_same():
  said = [
    proposals.Sentence(text, 'statement', ())
    for text in (
      'The key is with the smith of Tarnby.',
      'the key is, with the baker of Tarnby',
    )
  ] + proposals.stated(DOCUMENTS)
  assert len(proposals.questions(said, seed='s')) == 3


def test_one_sentence_alone_has_no_wrong_choices():
  said = proposals.stated(DOCUMENTS)[:1]
  assert proposals.questions(said, seed='s') == []


def test_the_lines_are_a_file_of_questions(tmp_path):
  rows = proposals.rows(proposals.stated(DOCUMENTS), TEXTS, seed='s')
  (tmp_path / 'a.md').write_text(PAGE)
  lines = ''.join(f'{json.dumps(row)}\n' for row in rows)
  (tmp_path / custom.QUESTIONS).write_text(lines)
  _, corpus = custom.from_folder(tmp_path, seed='s')
  assert [q.id for q in corpus.questions] == [row['id'] for row in rows]
  for question, row in zip(corpus.questions, rows, strict=True):
    (answer,) = question.answers
    assert row['prompt'] + question.choices[answer] in PAGE
    assert row['source'] == {'a.md': PAGE}


def test_the_same_sentences_make_the_same_questions_in_every_process():
  """Endings of one length have no order but the one that is given to them."""
  code = """
from icl_gen.worlds import proposals
said = [
  proposals.Sentence(f'The mill of {n} is near the {n}{n}.', 'statement', ())
  for n in 'abcdefghijklmnop'
]
print(proposals.questions(said, seed='s'))
"""
  first, second = (
    subprocess.run(
      [sys.executable, '-c', code],
      env={**os.environ, 'PYTHONHASHSEED': seed},
      cwd=ROOT,
      capture_output=True,
      check=True,
    ).stdout
    for seed in '12'
  )
  assert first == second != b'[]\n'
