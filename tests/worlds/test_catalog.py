"""Worlds by name: the same name, seed and size give the same corpus."""

import pytest

from icl_gen.text.forms.split import PARTS
from icl_gen.types import Fact, World
from icl_gen.worlds import catalog, custom

NANO = {name: sizes['nano'] for name, sizes in catalog.SIZES.items()}


@pytest.mark.parametrize('name', NANO)
def test_name_seed_and_size_determine_the_corpus(name):
  built = catalog.build(name, seed=0, **NANO[name])
  assert built == catalog.build(name, seed=0, **NANO[name])
  assert built[1] != catalog.build(name, seed=1, **NANO[name])[1]
  assert built[0].name == name


@pytest.mark.parametrize('name', NANO)
def test_a_definition_agrees_with_its_corpus(name):
  """Exactly the targets of the `stated` kinds are in documents."""
  world, corpus = catalog.build(name, seed=0, **NANO[name])
  definition = catalog.definition(name)
  kinds = {question.kind for question in corpus.questions}
  assert definition.stated | definition.repeating <= kinds
  for question in corpus.questions:
    assert (question.target in world.facts) == (
      question.kind in definition.stated
    )
  read = catalog.reader(world)
  for document in corpus.documents[:20]:
    assert read(document.text) == document.facts


@pytest.mark.parametrize(
  ('name', 'key'),
  [
    (name, key)
    for name, size in NANO.items()
    for key, value in size.items()
    if isinstance(value, int | float)
  ],
)
def test_a_number_that_no_machine_could_build_is_refused(name, key):
  with pytest.raises(ValueError) as refused:
    catalog.build(name, seed=0, **NANO[name] | {key: 10**12})
  assert '\n' not in str(refused.value)
  assert '1000000000000' in str(refused.value).replace(',', '')


@pytest.mark.parametrize('name', NANO)
def test_nothing_true_is_excluded(name):
  world, _ = catalog.build(name, seed=0, **NANO[name])
  excluded = catalog.excluder(world)
  true = [*world.facts, *(entailment.fact for entailment in world.entailed)]
  assert not any(map(excluded, true))


def test_other_objects_are_excluded_where_a_subject_has_one():
  world, _ = catalog.build('codebook', seed=0, **NANO['codebook'])
  excluded = catalog.excluder(world)
  fact = world.facts[0]
  assert excluded(Fact(fact.subject, fact.relation, 'glonk'))
  assert not excluded(Fact('glonk', fact.relation, 'yomps'))
  world, _ = catalog.build('process', seed=0, **NANO['process'])
  excluded = catalog.excluder(world)
  fact = world.facts[0]
  assert excluded(Fact(fact.subject, fact.relation, '77*x'))
  assert not excluded(Fact(fact.subject, fact.relation, f'1*({fact.object})'))
  assert not excluded(Fact('x^77', fact.relation, '77*x'))


def test_a_custom_world_reads_and_excludes_nothing():
  world = World('custom', (), ())
  assert catalog.reader(world)('Glon are red.') is None
  assert not catalog.excluder(world)(Fact('glon', 'is', 'red'))


def test_only_worlds_of_files_have_a_fingerprint(tmp_path):
  (tmp_path / 'a.txt').write_text('Glon are red.')
  size = {'path': str(tmp_path)}
  assert catalog.fingerprint('custom', size) == custom.fingerprint(tmp_path)
  assert list(catalog.fingerprint('custom', size)) == ['a.txt']
  for name in catalog.WORLDS:
    if name not in ('custom', 'celebrity_files'):
      assert catalog.fingerprint(name, size) == {}
  with pytest.raises(ValueError, match='p2d_prompts_train.jsonl'):
    catalog.fingerprint('celebrity_files', size)


def test_worlds_with_the_same_seed_use_different_words():
  _, reversals = catalog.build(
    'reversal', seed=0, facts=9, documents_per_fact=1
  )
  _, syllogisms = catalog.build('syllogism', seed=0, examples=6)
  words = [
    {
      word
      for d in corpus.documents
      for f in d.facts
      for word in (f.subject, f.object)
    }
    for corpus in (reversals, syllogisms)
  ]
  assert words[0] != words[1]


@pytest.mark.parametrize('forms', PARTS)
def test_all_right_choices_of_a_syllogism_are_read(forms):
  world, corpus = catalog.build(
    'syllogism', seed=0, **NANO['syllogism'], forms=forms
  )
  found = catalog.said_right('syllogism', corpus.questions)
  true = {*world.facts, *(entailment.fact for entailment in world.entailed)}
  for question in corpus.questions:
    if len(question.answers) == 1:
      assert question.id not in found
      continue
    one, other = found[question.id]
    assert question.target in (one, other)
    assert one == Fact(other.object, other.relation, other.subject)
    assert {one, other} <= true
  assert len(found) > 10


def test_an_unknown_world_is_an_error():
  message = "'reversals'; known are reversal, syl"
  with pytest.raises(ValueError, match=message):
    catalog.build('reversals', seed=0)
  for function in (catalog.reader, catalog.excluder):
    with pytest.raises(ValueError, match=message):
      function(World('reversals', (), ()))


@pytest.mark.parametrize(
  ('name', 'size'),
  [
    ('reversal', {'facts': 3, 'documents_per_fact': 1, 'examples': 3}),
    ('reversal', {'facts': 3}),
    ('syllogism', {'facts': 3}),
    ('celebrity_files', {'facts': 3}),
  ],
)
def test_missing_and_unknown_sizes_are_an_error(name, size):
  with pytest.raises(ValueError, match=f"not fit world '{name}'.*its keys are"):
    catalog.build(name, seed=0, **size)
