"""An interrupted augmentation resumes, unless its settings were changed."""

import pytest

from icl_gen import augment, build
from icl_gen.augmentation import plan
from icl_gen.runs import directories, models
from icl_gen.sampling import resumable
from icl_gen.sampling.sampler import Completion
from icl_gen.storage import corpus_files, distributions, files
from icl_gen.text import context as contexts
from tests import interrupts


def inferred(workdir):
  return directories.augmented(workdir, world='reversal', seed=0, model='nano')


@pytest.fixture
def make(experiment):
  """Makes the config that samples at this temperature."""

  def with_temperature(temperature):
    changed = {'temperature': temperature, 'likeliest': 4, 'prompt': 'terse'}
    return experiment(augment=changed)

  return with_temperature


@pytest.fixture
def interrupted(make, compile_once, tmp_path, capsys):
  """A workdir in which only the local inferences were kept."""
  build.run(make(1.0), tmp_path)
  with interrupts.interrupted(files, 'append_json_line', after=1):
    augment.run(make(1.0), tmp_path)
  assert not corpus_files.is_written(inferred(tmp_path))
  assert capsys.readouterr().out.count('sampled') == 1
  return tmp_path


@pytest.mark.parametrize('temperature', [1.0, 0.5])
def test_it_resumes_to_the_same_documents(
  interrupted, make, tmp_path_factory, capsys, temperature
):
  augment.run(make(temperature), interrupted)
  again = 1 if temperature == 1.0 else 2
  printed = capsys.readouterr().out.splitlines()
  assert sum(line.startswith('sampled') for line in printed) == again
  elsewhere = tmp_path_factory.mktemp('elsewhere')
  for door in (build, augment):
    door.run(make(temperature), elsewhere)
  ours, theirs = (inferred(folder) for folder in (interrupted, elsewhere))
  assert (
    corpus_files.read(ours).documents == corpus_files.read(theirs).documents
  )
  expected = [folder / distributions.NAME for folder in (ours, theirs)]
  assert expected[0].read_bytes() == expected[1].read_bytes()
  counted = corpus_files.read_manifest(ours)['corpus']['likeliest']
  assert 0 < counted['places'] <= counted['tokens']
  assert 0 < counted['mass'] < 1
  asked = corpus_files.read_manifest(ours)['corpus']['prompts']
  assert asked == {
    kind: plan.prompt_hash(kind, wording='terse') for kind in plan.PROMPTS
  }
  for document in corpus_files.read(ours).documents:
    of = document.origin
    assert dict(of.details)['prompt'] == asked[of.kind]
  settings = ours.with_name(f'{ours.name}.settings')
  assert [path.name for path in settings.iterdir()] == ['augment.config.json']


def test_without_global_samples_the_documents_need_not_fit(
  experiment, tmp_path, monkeypatch
):
  def sample(model, requests, context, **settings):
    contexts_read.append(context)
    found = (Completion(r.name, 'A line.', 1, 1, True) for r in requests)
    return tuple(found), {}

  contexts_read = []
  monkeypatch.setattr(resumable, 'sample', sample)
  config, with_global = (
    experiment(augment={'global_samples': count, 'max_tokens': 4})
    for count in (0, 1)
  )
  build.run(config, tmp_path)
  monkeypatch.setitem(models._LONGEST, 'nano', 60)
  with pytest.raises(ValueError, match='longest prompt, with its context'):
    augment.run(with_global, tmp_path)
  augment.run(config, tmp_path)
  assert contexts_read == [contexts.NONE] * 2
  assert corpus_files.is_written(inferred(tmp_path))
