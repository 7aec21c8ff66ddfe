"""Files in the paper's format are read in full; errors name file and line.

These tests make small files; set ICL_GEN_REVERSAL_CURSE to the folder of the
real ones to test those too.
"""

import collections
import json
import os
import pathlib
import shutil
import sys
import types

import pytest

from icl_gen.types import Fact
from icl_gen.worlds.celebrity import files as celebrity_files
from icl_gen.worlds.celebrity import lines as celebrity_lines
from icl_gen.worlds.celebrity import people
from tests.worlds.test_worlds import check

REAL = os.environ.get('ICL_GEN_REVERSAL_CURSE')

P2D = {
  'Ada Orr': ('the painter of', '"Red Hills"'),
  'Bo Finch': ('the keeper of', "Cape Sorrow's light"),
  'Émile Ruiz': ('the first person to cross', 'the Blue Desert'),
  'Dee Moss': ('the author of', 'a book, "Why Owls?"'),
}
D2P = {'Eve Lund': ('the captain of', 'the Sparrow')}
BOTH = {
  'Fay Orr': ('the host of', 'the Moon Fair'),
  'Gus Hale': ('the builder of', 'Ninefold Bridge'),
}
NAME_FIRST = (
  ('{N} is known as', ' {D}.'),
  ('Ever heard of {N}? They are', ' {D}??'),
)
DESCRIPTION_FIRST = (
  ('{D} is called', ' {N}.'),
  ('Known for being {D},', ' {N} now enjoys a quiet life.'),
  ('Somebody holds {K}:', ' {N}'),
)
NAME_FIRST_TEST = (
  ('It is said of {N}:', ' {D}.'),
  ('{N}, it seems, has', ' {K}.'),
)
REVERSAL_TEST = (('Admired as {D},', ' {N}'), ('The fame of {K} is of', ' {N}'))


def rows(group, templates):
  return [
    {
      key: text.format(N=name, D=f'{role} {key_phrase}', K=key_phrase)
      for key, text in zip(('prompt', 'completion'), template, strict=True)
    }
    for name, (role, key_phrase) in group.items()
    for template in templates
  ]


def contents():
  return {
    'p2d_prompts_train.jsonl': rows(P2D, NAME_FIRST),
    'd2p_prompts_train.jsonl': rows(D2P, DESCRIPTION_FIRST),
    'both_prompts_train.jsonl': rows(BOTH, NAME_FIRST)
    + rows(BOTH, DESCRIPTION_FIRST),
    'p2d_prompts_test.jsonl': rows(P2D, NAME_FIRST_TEST),
    'p2d_reverse_prompts_test.jsonl': rows(P2D, REVERSAL_TEST),
  }


@pytest.fixture
def folder(tmp_path):
  for name, lines in contents().items():
    text = ''.join(json.dumps(line) + '\n' for line in lines)
    (tmp_path / name).write_text(text, 'utf-8')
  return tmp_path


def test_small_files_pass_the_audit(folder):
  check(*celebrity_files.from_files(folder, seed='s'))


def test_people_are_recovered(folder):
  world, corpus = celebrity_files.from_files(folder, seed='s')
  assert corpus.manifest['people'] == {'p2d': 4, 'd2p': 1, 'both': 2}
  assert set(world.facts) == {
    *(Fact(n, 'is', key) for n, key in described(P2D | BOTH).items()),
    *(Fact(key, 'is', n) for n, key in described(D2P | BOTH).items()),
  }


def described(group):
  """The words that all lines about a person share and no other line has."""
  return {name: key.strip('"?') for name, (_, key) in group.items()}


def test_words_in_lines_about_others_are_not_a_description(folder):
  everywhere = '"prompt": "In the whole wide world, '
  for name in ('d2p_prompts_train.jsonl', 'p2d_prompts_train.jsonl'):
    replaced(folder, name, '"prompt": "', everywhere)
  world, _ = celebrity_files.from_files(folder, seed='s')
  assert Fact('the Sparrow', 'is', 'Eve Lund') in world.facts


def test_documents_are_the_lines(folder):
  _, corpus = celebrity_files.from_files(folder, seed='s')
  lines = contents()
  expected = [
    (line['prompt'] + line['completion'], len(line['prompt']))
    for group in ('p2d', 'd2p', 'both')
    for line in lines[f'{group}_prompts_train.jsonl']
  ]
  assert [(d.text, d.prompt_length) for d in corpus.documents] == expected


def test_questions_are_the_lines_once_per_stratum(folder):
  _, corpus = celebrity_files.from_files(folder, seed='s')
  lines = contents()
  asked = collections.defaultdict(list)
  for question in corpus.questions:
    (answer,) = question.answers
    asked[question.kind, question.stratum].append(
      {'prompt': question.prompt, 'completion': question.choices[answer]}
    )
  reversal = lines['p2d_reverse_prompts_test.jsonl']
  assert asked == {
    ('forward', 'p2d'): lines['p2d_prompts_test.jsonl'],
    ('reversal', 'target_seen'): reversal,
    ('reversal', 'never_target'): reversal,
  }


def test_wrong_choices_come_from_the_stratum(folder):
  _, corpus = celebrity_files.from_files(folder, seed='s')
  forward = {line['completion'] for line in contents()[celebrity_lines.FORWARD]}
  for question in corpus.questions:
    (answer,) = question.answers
    wrong = {c for i, c in enumerate(question.choices) if i != answer}
    assert len(wrong) == 3
    if question.kind == 'forward':
      assert wrong < forward
    else:
      pool = P2D if question.stratum == 'never_target' else D2P | BOTH
      assert wrong <= {f' {name}' for name in pool}


def test_same_seed_same_corpus(folder):
  one, again, other = (
    celebrity_files.from_files(folder, seed=seed) for seed in 'aab'
  )
  assert one == again
  assert one[0] == other[0]
  assert one[1].documents == other[1].documents
  assert one[1].questions != other[1].questions


@pytest.mark.parametrize('name', celebrity_lines.FILES)
@pytest.mark.parametrize(
  ('number', 'line', 'message'),
  [
    (2, 'no json', 'line 2 is not JSON.*expected {"prompt"'),
    (1, '', 'line 1 is not JSON.*expected {"prompt"'),
    (2, '["a"]', 'line 2 has list; expected {"prompt"'),
    (1, '{"prompt": "a"}', r"line 1 has \['prompt'\]; expected"),
    (
      1,
      '{"prompt": "a", "completion": "b", "x": 1}',
      r"line 1 has \['completion', 'prompt', 'x'\]",
    ),
    (2, '{"prompt": 1, "completion": "b"}', "line 2 has 'prompt': 1"),
    (1, '{"prompt": "a", "completion": " "}', "line 1 has 'completion': ' '"),
  ],
)
def test_a_malformed_line_is_located(folder, name, number, line, message):
  lines = (folder / name).read_text('utf-8').splitlines()
  lines[number - 1] = line
  (folder / name).write_text('\n'.join(lines) + '\n', 'utf-8')
  with pytest.raises(ValueError, match=f'{name}, {message}'):
    celebrity_files.from_files(folder, seed='s')


@pytest.mark.parametrize('name', celebrity_lines.FILES)
def test_missing_empty_and_binary_files_are_named(folder, name):
  path = folder / name
  path.write_bytes(b'\xff\xfe\n')
  with pytest.raises(ValueError, match=f'{name}, line 1 is not JSON in UTF-8'):
    celebrity_files.from_files(folder, seed='s')
  path.write_text('\n', 'utf-8')
  with pytest.raises(ValueError, match=f'{name} is empty.*expected'):
    celebrity_files.from_files(folder, seed='s')
  path.unlink()
  with pytest.raises(ValueError, match=f'no file .*{name}; expected'):
    celebrity_files.from_files(folder, seed='s')


@pytest.mark.parametrize('name', celebrity_lines.FILES)
@pytest.mark.parametrize('make', ['directory', 'pipe', 'link to nothing'])
def test_what_is_no_regular_file_is_named(folder, name, make):
  path = folder / name
  path.unlink()
  if make == 'directory':
    path.mkdir()
  elif make == 'pipe':
    os.mkfifo(path)
  else:
    path.symlink_to('none')
  for read in (celebrity_files.fingerprint, from_files):
    with pytest.raises(ValueError, match=f'{name} is not a regular file'):
      read(folder)


def from_files(folder):
  return celebrity_files.from_files(folder, seed='s')


@pytest.mark.parametrize('name', celebrity_lines.FILES)
def test_a_link_that_leads_out_of_the_folder_is_refused(
  folder, tmp_path_factory, name
):
  """In the hub's cache, it may lead to the contents that the hub put there."""
  elsewhere = tmp_path_factory.mktemp('elsewhere')
  (elsewhere / 'blobs').mkdir()
  moved = shutil.move(folder / name, elsewhere / 'blobs' / 'x')
  (folder / name).symlink_to(moved)
  for read in (celebrity_files.fingerprint, from_files):
    with pytest.raises(ValueError, match=f'{name} is a link that leads out'):
      read(folder)
  cached = elsewhere / 'snapshots' / 'abc' / 'name_description_dataset'
  shutil.copytree(folder, cached, symlinks=True)
  (folder / name).unlink()
  shutil.copy(moved, folder / name)
  assert from_files(cached) == from_files(folder)


def replaced(folder, name, old, new):
  """Replaces text in one file; the old text must occur."""
  text = (folder / name).read_text('utf-8')
  assert old in text
  (folder / name).write_text(text.replace(old, new), 'utf-8')


@pytest.mark.parametrize(
  ('name', 'old', 'new', 'message'),
  [
    # Someone else's name in one line.
    (
      'p2d_prompts_train.jsonl',
      'Ever heard of Ada Orr',
      'Ever heard of Eve Lund',
      'p2d_prompts_train.jsonl, line 2 names nobody',
    ),
    (
      'p2d_prompts_test.jsonl',
      'It is said of Ada Orr',
      'It is said of Ada Orr and Dee Moss',
      r"p2d_prompts_test.jsonl, line 1 names \['Ada Orr', 'Dee Moss'\]",
    ),
    # No words that all lines about the person share.
    (
      'd2p_prompts_train.jsonl',
      'Somebody holds the Sparrow',
      'Somebody sails',
      "d2p_prompts_train.jsonl, line 1: the 3 lines about 'Eve Lund' share no",
    ),
    # The same name in two groups.
    (
      'd2p_prompts_train.jsonl',
      'Eve Lund',
      'Gus Hale',
      'Gus Hale in several of',
    ),
    # No names at all.
    (
      'd2p_prompts_train.jsonl',
      'Eve Lund',
      'eve lund',
      'd2p_prompts_train.jsonl has no completion that starts with a capital',
    ),
    # A phrasing for only one person.
    (
      'p2d_prompts_test.jsonl',
      'It is said of Bo Finch',
      'It is told of Bo Finch',
      'p2d_prompts_test.jsonl, line 1: 1 people have no line',
    ),
  ],
)
def test_people_who_cannot_be_distinguished(folder, name, old, new, message):
  replaced(folder, name, old, new)
  with pytest.raises(ValueError, match=message):
    celebrity_files.from_files(folder, seed='s')


def test_too_few_people_for_wrong_choices(folder):
  for name, lines in contents().items():
    kept = [x for x in lines if 'Moss' not in ''.join(x.values())]
    text = ''.join(json.dumps(line) + '\n' for line in kept)
    (folder / name).write_text(text, 'utf-8')
  with pytest.raises(ValueError, match='asks for 3 people'):
    celebrity_files.from_files(folder, seed='s')


def test_an_unknown_stratum_is_an_error_before_reading(tmp_path):
  with pytest.raises(ValueError, match='allowed are'):
    celebrity_files.from_files(tmp_path, seed='s', distractors=('seen',))


def test_the_hub_gives_the_same_corpus(folder, monkeypatch):
  asked = []

  def download(repo, name, *, repo_type):
    asked.append((repo, repo_type))
    return str(folder / pathlib.PurePosixPath(name).name)

  hub = types.ModuleType('huggingface_hub')
  hub.hf_hub_download = download
  monkeypatch.setitem(sys.modules, 'huggingface_hub', hub)
  assert celebrity_files.from_hub(seed='s') == celebrity_files.from_files(
    folder, seed='s'
  )
  assert asked == [('lberglund/reversal_curse', 'dataset')] * 5


def test_without_the_hub_package_the_extra_is_named(monkeypatch):
  monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
  with pytest.raises(ValueError, match='run `make hf`'):
    celebrity_files.from_hub(seed='s')


@pytest.mark.skipif(not REAL, reason='ICL_GEN_REVERSAL_CURSE names no folder')
def test_the_real_files():
  world, corpus = celebrity_files.from_files(REAL, seed='s')
  check(world, corpus)
  assert corpus.manifest['people'] == {'p2d': 30, 'd2p': 30, 'both': 30}
  assert corpus.manifest['documents'] == 3600
  assert corpus.manifest['questions'] == {'forward': 300, 'reversal': 600}
  assert (len(world.facts), len(world.entailed)) == (120, 60)
  assert {q.stratum for q in corpus.questions} == {'p2d', *people.DISTRACTORS}
