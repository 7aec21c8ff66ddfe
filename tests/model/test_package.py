"""The gemma package is imported without TensorFlow, which stays usable."""

import subprocess
import sys
import types

import numpy as np
import pytest

from icl_gen.model import package

REAL = """
import sys
import numpy as np
from icl_gen.model.package import gm
import kauldron.typing
assert 'tensorflow' not in sys.modules
array = kauldron.typing.TfFloat['2']
assert not isinstance(np.zeros(2), array)
import tensorflow
assert tensorflow.__version__
assert isinstance(tensorflow.zeros(2), array)
assert not isinstance(tensorflow.zeros(3), array)
assert not isinstance(np.zeros(2), array)
gm.nn.Gemma3_270M, gm.ckpts.load_params
"""


class Tensor:
  """What an imported TensorFlow calls a tensor."""


@pytest.fixture
def unimported(monkeypatch):
  """TensorFlow, as long as it is not imported; returns what an import adds."""
  monkeypatch.delitem(sys.modules, 'tensorflow', raising=False)
  imported = types.ModuleType('tensorflow')
  imported.Tensor = Tensor
  return imported


def test_the_stand_in_is_there_inside_the_block_only(unimported):
  with package._without_tensorflow():
    import tensorflow

    assert isinstance(tensorflow, package._StandIn)
  assert 'tensorflow' not in sys.modules


def test_an_error_removes_the_stand_in_too(unimported):
  with pytest.raises(ValueError, match='no'), package._without_tensorflow():
    raise ValueError('no')
  assert 'tensorflow' not in sys.modules


def test_an_imported_tensorflow_is_left_alone(unimported, monkeypatch):
  monkeypatch.setitem(sys.modules, 'tensorflow', unimported)
  with package._without_tensorflow():
    assert sys.modules['tensorflow'] is unimported
  assert sys.modules['tensorflow'] is unimported


def test_tensors_are_recognised_once_tensorflow_is_imported(
  unimported, monkeypatch
):
  assert not isinstance(Tensor(), package._Tensor)
  monkeypatch.setitem(sys.modules, 'tensorflow', unimported)
  assert isinstance(Tensor(), package._Tensor)
  assert not isinstance(np.zeros(2), package._Tensor)


@pytest.mark.slow
def test_the_real_tensorflow_can_be_imported_later():
  done = subprocess.run(
    [sys.executable, '-c', REAL], capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
