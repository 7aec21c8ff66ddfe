"""Names of devices, as --topology has them: cpu:8, v5e:2x4.

Imports nothing heavy, so that a command can refuse a name at once.
"""

import re

# Kind of device -> how many sides its slices may be given with.
SIDES = {
  'cpu': (1,),
  'v4': (2, 3),
  'v5e': (2,),
  'v5p': (2, 3),
  'v6e': (2,),
}
_NAME = re.compile(r'(\w+):([1-9]\d*(?:x[1-9]\d*)*)', re.ASCII)


def read(name: str) -> tuple[str, tuple[int, ...]]:
  """The kind of the devices of a name, and the sides of their slice.

  Args:
    name: 'v5e:4x4' and the like for TPUs, 'cpu:8' for so many devices.

  Raises:
    ValueError: there are no such devices.
  """
  found = _NAME.fullmatch(name)
  kind = found[1] if found else ''
  sides = tuple(map(int, found[2].split('x'))) if found else ()
  if len(sides) not in SIDES.get(kind, ()):
    chips = ', '.join(kind for kind in SIDES if kind != 'cpu')
    raise ValueError(
      f'unknown topology {name!r}; give cpu:N, or one of {chips} with its'
      ' shape, such as v5e:4x4 or v5p:2x2x1'
    )
  return kind, sides
