"""The units of a study, and its record."""

import dataclasses

import pytest

from icl_gen.runs import studies, units
from icl_gen.storage import files
from tests.runs.test_studies import VALUES

MORE = VALUES | {
  'conditions': ('icl', 'ft', 'ft_aug'),
  'seeds': (0, 1),
  'models': ('nano', 'nano_small'),
}


def test_the_units_have_all_stages_of_the_study(tmp_path):
  study = studies.read(MORE)
  every = studies.jobs(study, tmp_path)
  found = {
    name: studies.jobs(unit, tmp_path)
    for name, unit in units.units(study).items()
  }
  assert len(found) == 4
  assert {job.result for jobs in found.values() for job in jobs} == {
    job.result for job in every
  }
  for jobs in found.values():
    # A unit needs nothing that it does not make itself.
    made = {job.result for job in jobs}
    assert {need for job in jobs for need in job.needs} < made
  # Only corpora are made by more than one.
  results = [job.result for jobs in found.values() for job in jobs]
  again = {result for result in results if results.count(result) > 1}
  assert again == {job.result for job in every if job.door == 'build'}


def test_a_unit_is_found_by_its_name():
  study = studies.read(MORE)
  unit = units.of(study, 'reversal-nano_small-s1')
  assert (unit.seeds, unit.models) == ((1,), ('nano_small',))
  with pytest.raises(ValueError, match="unit 'reversal-s1': .* reversal-nano-"):
    units.of(study, 'reversal-s1')


def test_the_record_of_a_study_gives_the_same_stages(tmp_path):
  with pytest.raises(ValueError, match=r"no '.*study\.json': `python -m icl_g"):
    units.recorded(tmp_path)
  study = studies.read(MORE)
  units.record(study, tmp_path)
  units.record(dataclasses.replace(study, seeds=(3,)), tmp_path)
  units.record(study, tmp_path)
  written = units.record_of(tmp_path).stat().st_mtime_ns
  units.record(study, tmp_path)
  assert units.record_of(tmp_path).stat().st_mtime_ns == written
  units.record_of(tmp_path).write_text('{}')
  units.record(study, tmp_path)  # a damaged one is replaced
  found = units.recorded(tmp_path)
  assert [
    (job.door, job.result, job.needs) for job in studies.jobs(found, tmp_path)
  ] == [
    (job.door, job.result, job.needs) for job in studies.jobs(study, tmp_path)
  ]


def test_the_record_of_an_older_version_is_read(tmp_path):
  """Settings that were added since have their defaults."""
  study = studies.read(MORE)
  values = dataclasses.asdict(study)
  del values['sweep'], values['experiments']['reversal']['run']
  del values['experiments']['reversal']['augment']['name']
  del values['experiments']['reversal']['train']['reverse']
  files.write_sealed_json(units.record_of(tmp_path), values)
  found = units.recorded(tmp_path)
  assert found.experiments == study.experiments


def test_a_unit_has_all_points_of_a_sweep(tmp_path):
  swept = studies.read(MORE | {'sweep': 'train.steps=4,9'})
  unit = units.of(swept, 'reversal-nano-s1')
  assert [
    job.result.parent.name
    for job in studies.jobs(unit, tmp_path)
    if job.door == 'train'
  ] == [
    'reversal-ft-nano-s1',
    'reversal-ft-nano-s1+steps_9',
    'reversal-ft_aug-nano-s1',
    'reversal-ft_aug-nano-s1+steps_9',
  ]
