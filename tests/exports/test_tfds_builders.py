"""Worlds loaded with TFDS have the records that `build` writes."""

import json
import subprocess
import sys

import pytest

from icl_gen.storage import codec, corpus_files, tfds_files
from icl_gen.worlds import catalog

# tfds calls a protobuf method that newer versions deprecate.
pytestmark = pytest.mark.filterwarnings(
  r'ignore:label\(\) is deprecated:DeprecationWarning',
  'ignore:unclosed:ResourceWarning',
)


def test_every_generated_world_is_registered_in_both_sizes():
  import tensorflow_datasets as tfds

  from icl_gen.exports import tfds_builders

  assert list(tfds_builders.BUILDERS) == [
    f'icl_{world}' for world in catalog.SIZES
  ]
  for name, made in tfds_builders.BUILDERS.items():
    assert tfds.builder_cls(name) is made
    assert {'nano', 'paper'} <= set(made.builder_configs)


@pytest.mark.parametrize('world', sorted(catalog.SIZES))
def test_tfds_loads_what_build_writes(tmp_path, world):
  import tensorflow_datasets as tfds

  import icl_gen.exports.tfds_builders  # noqa: F401

  found = tfds.data_source(
    f'icl_{world}/nano',
    data_dir=tmp_path,
    builder_kwargs={'file_format': 'array_record'},
  )
  _, corpus = catalog.build(world, seed=0, **catalog.SIZES[world]['nano'])
  expected = corpus_files.split_rows(corpus)
  assert sorted(found) == sorted(expected)
  for split, rows in expected.items():
    assert [tfds_files.row_from_example(row) for row in found[split]] == rows
  assert set(rows[0]) == set(codec.COLUMNS)


def test_a_builder_imports_nothing_that_its_directory_names(
  tmp_path, monkeypatch
):
  import tensorflow_datasets as tfds

  import icl_gen.exports.tfds_builders  # noqa: F401

  (tmp_path / 'left_by_a_stranger.py').write_text('raise SystemError')
  monkeypatch.syspath_prepend(str(tmp_path))

  def load():
    found = tfds.data_source(
      'icl_codebook/nano',
      data_dir=tmp_path / 'data',
      builder_kwargs={'file_format': 'array_record'},
    )
    return {split: list(rows) for split, rows in found.items()}

  expected = load()
  (path,) = tmp_path.rglob('features.json')
  described = json.loads(path.read_text())
  described['pythonClassName'] = 'left_by_a_stranger.Feature'
  path.write_text(json.dumps(described))
  for split, rows in load().items():
    for row, same in zip(rows, expected[split], strict=True):
      one, other = (tfds_files.row_from_example(r) for r in (row, same))
      assert one == other


# If one changes, increase the major number of VERSION in tfds_builders.
DIGESTS = {
  'celebrity': '572e803bab58020e',
  'codebook': '817aac8ffb58a785',
  'process': '4bacc7c7a8b8b0e7',
  'reversal': '5ab6562771c33814',
  'semantic': 'bc4d13f693d3dde6',
  'syllogism': 'f1ce79b7d445a1d5',
}


@pytest.mark.parametrize('world', sorted(catalog.SIZES))
def test_records_change_only_with_the_version(world):
  _, corpus = catalog.build(world, seed=0, **catalog.SIZES[world]['nano'])
  assert codec.digest(corpus)[:16] == DIGESTS[world]


def test_importing_the_module_registers_them_without_tensorflow():
  code = """
import sys
import icl_gen.exports.tfds_builders
import tensorflow_datasets as tfds
assert tfds.builder_cls('icl_semantic').name == 'icl_semantic'
assert 'tensorflow' not in sys.modules
"""
  done = subprocess.run(
    [sys.executable, '-c', code], check=False, capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
