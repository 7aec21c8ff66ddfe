"""The programs whose memory is estimated are those that a study runs."""

import dataclasses
import shutil

import pytest

from icl_gen import assets
from icl_gen.runs import buffers, in_context, studies
from icl_gen.runs.experiments import Context, Training
from icl_gen.scoring import scorer
from icl_gen.text import tokens
from icl_gen.training import inputs
from icl_gen.worlds import catalog
from launch import estimate
from launch.lengths import Lengths
from tests.runs import test_experiments, test_studies

SIZE = {'facts': 6, 'documents_per_fact': 3}
LARGER = SIZE | {'facts': 60}
EXPERIMENT = dataclasses.replace(test_experiments.EXPERIMENT, size=SIZE)
VALUES = test_studies.VALUES | {
  'experiments': {'reversal': dataclasses.asdict(EXPERIMENT)}
}
ALL = ('pretrained', 'icl', 'ft', 'ft_aug')


def commands(*worlds, **values):
  """The commands of a study of such experiments, without what all have."""
  made = {one.world: dataclasses.asdict(one) for one in worlds}
  study = studies.read(
    VALUES
    | {'experiments': made, 'main_kinds': dict.fromkeys(made, '')}
    | {'conditions': ALL, 'seeds': (0, 1)}
    | values
  )
  found = estimate.commands(study, topology='v5e:2x2')
  for command in found:
    assert command[:3] == ['python', '-m', 'icl_gen.compile']
    assert '--topology=v5e:2x2' in command
  return [
    (
      command[-1].removeprefix('--stage='),
      *sorted(flag for flag in command if flag.startswith('--config.')),
    )
    for command in found
  ]


def test_every_program_of_a_chain_is_compiled_once():
  tokens_16 = '--config.augment.max_tokens=16'
  small = dataclasses.replace(EXPERIMENT.augment, max_tokens=16)
  found = commands(dataclasses.replace(EXPERIMENT, augment=small))
  context = '--config.context.budget=512'
  assert sorted(found) == [
    ('augment', tokens_16),
    ('augment', tokens_16, context),
    ('evaluate',),
    ('evaluate', context),
    ('train',),
  ]


def test_programs_that_a_condition_does_not_need_are_not_compiled():
  assert sorted(commands(EXPERIMENT, conditions=('pretrained',))) == [
    ('evaluate',)
  ]
  local = dataclasses.replace(EXPERIMENT.augment, global_samples=0)
  control = dataclasses.replace(local, source='oracle', tokens=9)
  for augment, programs in ((local, 1), (control, 0)):
    found = commands(
      dataclasses.replace(EXPERIMENT, augment=augment), conditions=('ft_aug',)
    )
    assert [stage for stage, *_ in found].count('augment') == programs


def test_settings_that_change_no_program_are_left_out():
  changed = Training(
    steps=7, length=99, splitting='onward', mask='alone', mask_copies=2, keep=3
  )
  context = Context(factor=1, documents=2)
  found = commands(
    dataclasses.replace(
      EXPERIMENT, train=changed, context=context, dtype='bfloat16'
    )
  )
  assert len(found) == 5
  for stage, *overrides in found:
    assert '--config.dtype=bfloat16' in overrides
    assert ('--config.train.length=99' in overrides) == (stage == 'train')
    assert len(overrides) <= 2 + (stage != 'train')


def test_worlds_share_programs_of_equal_lengths():
  other = dataclasses.replace(EXPERIMENT, world='reversal_forms')
  assert len(commands(EXPERIMENT, other)) == len(commands(EXPERIMENT)) == 5
  more = dataclasses.replace(other, size=LARGER, context=Context(factor=1))
  longer = set(commands(EXPERIMENT, more)) - set(commands(EXPERIMENT))
  assert {stage for stage, *_ in longer} == {'augment', 'evaluate'}
  assert len(longer) == 2


@pytest.mark.parametrize('kind', ['all', 'bm25', 'fitting'])
def test_contexts_are_as_long_as_the_stages_encode_them(kind, monkeypatch):
  # Or small differences would not show.
  monkeypatch.setattr(buffers, 'bucket', lambda length, *, chunk: length)
  experiment = dataclasses.replace(
    EXPERIMENT, size=LARGER, context=Context(kind=kind, factor=1)
  )
  _, corpus = catalog.build('reversal', seed=0, **LARGER)
  tokenizer = tokens.load(assets.path('tokenizer.model'))
  given = {'name': 'reversal-s0', 'count_tokens': tokenizer.count}
  found = in_context.context(experiment, corpus, **given)
  every = found if isinstance(found, tuple | list) else [found]
  # One token of each is scored with the questions.
  longest = max(
    len(scorer._context_ids(tokenizer, one.before)) - 1 for one in every
  )
  counted = Lengths()
  assert counted.of_questions(experiment) == longest
  before = in_context.of_inferences(experiment, corpus.documents, **given)
  sampled = len([tokenizer.bos_id, *tokenizer.encode(before.before)])
  assert counted.of_inferences(experiment) == sampled


def test_rows_are_as_long_as_those_of_training():
  train = dataclasses.replace(EXPERIMENT.train, length=0)
  experiment = dataclasses.replace(EXPERIMENT, train=train)
  _, corpus = catalog.build('reversal', seed=0, **SIZE)
  rows = inputs.make(
    corpus.documents,
    tokens.load(assets.path('tokenizer.model')),
    train,
    model='nano',
    seed=0,
  )
  assert Lengths().of_rows(experiment) == next(iter(rows)).tokens_BxL.shape[1]
  assert Lengths().of_rows(EXPERIMENT) == 48


def test_a_tokenizer_that_is_not_here_is_said(capsys, tmp_path):
  there = str(tmp_path / 'tokenizer.model')
  values = VALUES | {'models': ('gemma3_1b',), 'tokenizer': there}
  told = 'give --config.tokenizer=FILE, on this machine'
  estimate.show(studies.read(values), topology='cpu:1', run=False)
  assert told in capsys.readouterr().out
  shutil.copy(assets.path('tokenizer.model'), there)
  for one in (values, VALUES):
    estimate.show(studies.read(one), topology='cpu:1', run=False)
    assert told not in capsys.readouterr().out


def test_what_is_recalled_is_as_long_as_its_samples_may_be():
  one, two = (
    dataclasses.replace(
      EXPERIMENT,
      condition='icl',
      context=dataclasses.replace(
        EXPERIMENT.context, kind='recalled', documents=samples
      ),
    )
    for samples in (8, 16)
  )
  # Both things of a comparison are cues.
  longest = 2 * 8 * EXPERIMENT.augment.max_tokens
  assert longest < Lengths().of_questions(one) < 2 * longest
  assert Lengths().of_questions(two) > 2 * longest
