"""The gemma package, imported without TensorFlow.

`gemma.gm.nn` annotates images with kauldron's types, and kauldron's types name
`tensorflow.Tensor`. For that one name, importing the package would import
TensorFlow, Keras and scikit-learn: seven of the ten seconds that a command took
to start. So kauldron's types are imported here with a stand-in in the place of
TensorFlow, which is removed at once: a later `import tensorflow` is the real
one, and kauldron's types then recognise its tensors.
"""

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

_NAME = 'tensorflow'


class _Loaded(type):
  """Takes a value for an instance if TensorFlow, once imported, does.

  A tensor cannot exist before.
  """

  def __instancecheck__(cls, value: object) -> bool:
    module = sys.modules.get(_NAME)
    return module is not None and isinstance(value, module.Tensor)


class _Tensor(metaclass=_Loaded):
  """Stands for `tensorflow.Tensor` in annotations."""


class _StandIn(types.ModuleType):
  """Has the class of tensors; for all else, imports TensorFlow."""

  Tensor = _Tensor

  def __getattr__(self, name: str) -> Any:
    if name.startswith('__'):  # what the import system asks of a module
      raise AttributeError(name)
    if sys.modules.get(_NAME) is self:
      del sys.modules[_NAME]
    import tensorflow

    return getattr(tensorflow, name)


@contextlib.contextmanager
def _without_tensorflow() -> Iterator[None]:
  if _NAME in sys.modules:
    yield
    return
  stand_in = sys.modules[_NAME] = _StandIn(_NAME)
  try:
    yield
  finally:
    if sys.modules.get(_NAME) is stand_in:
      del sys.modules[_NAME]


with _without_tensorflow():
  import kauldron.typing  # noqa: F401

from gemma import gm as gm  # noqa: E402
