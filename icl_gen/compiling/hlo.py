"""Reads a compiled program's text: cycles, loops and collectives.

The TPU compiler writes its estimate of an instruction's cycles next to it, but
once, however often a loop repeats it. So instructions are walked from the entry
with the number of times that each is run. It estimates no collectives: they are
counted, in number and bytes.
"""

import collections
import dataclasses
import math
import re
from collections.abc import Iterator, Mapping

_HEADER = re.compile(r'^(ENTRY )?%?([\w.\-]+) \(.*\{$')
_INSTRUCTION = re.compile(r'^\s+(?:ROOT )?%?([\w.\-]+) = (.*)$')
_OPCODE = re.compile(r'(?:^|\s)([a-z][a-z0-9\-]*)\(')
_ARRAY = re.compile(r'\b(pred|[a-z]+\d+\w*)\[([\d,]*)\]')
_CALLED = re.compile(
  r'(?:calls|to_apply|body|condition|true_computation|false_computation)='
  r'%?([\w.\-]+)|branch_computations=\{([^}]*)\}'
)
_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_OPERATION = re.compile(r'op_name="([^"]*)"')
_CONSTANT = re.compile(r'[su]32\[\][^=]* constant\((\d+)\)')
# {{0,1},{2,3}}, [2,2]<=[4], or mesh['a'=2,'b'=2] {'b'}
_GROUPS = re.compile(
  r'replica_groups=(?:\{\{([\d,]*)\}|\[\d+,(\d+)\]<=|'
  r'mesh\[([^\]]*)\] \{([^}]*)\})'
)

COLLECTIVES = (
  'all-gather',
  'all-reduce',
  'reduce-scatter',
  'all-to-all',
  'collective-permute',
)
# Their instructions are counted where they are called.
_CALLS = ('while', 'call', 'conditional')


@dataclasses.dataclass(frozen=True)
class Instruction:
  """One line of a computation.

  Attributes:
    name: its name, unique in the program.
    opcode: 'fusion', 'while', 'all-gather-start', ...
    text: the line after the `=`: type, operands and attributes.
  """

  name: str
  opcode: str
  text: str

  @property
  def called(self) -> tuple[str, ...]:
    """Names of the computations that it calls."""
    names: list[str] = []
    for one, several in _CALLED.findall(self.text):
      names += [one] if one else re.findall(r'[\w.\-]+', several)
    return tuple(names)

  @property
  def cycles(self) -> int | None:
    """The compiler's estimate; None where it gives none."""
    found = _CYCLES.search(self.text)
    return int(found[1]) if found else None


@dataclasses.dataclass(frozen=True)
class Collective:
  """The collectives of one kind.

  Attributes:
    count: how often one is run in one run of the program.
    bytes: of the whole arrays (what is gathered, reduced or scattered), on one
      device, summed over all of them.
  """

  count: int
  bytes: int


@dataclasses.dataclass(frozen=True)
class Program:
  """What a run of a program takes, on one device.

  Attributes:
    cycles: estimated by the compiler; 0 where it gives no estimates (CPU).
    collectives: by kind.
    kernels: how often a kernel without an estimate (`custom-call`) is run.
    endless: loops whose number of repetitions is not in the text; they are
      counted once.
    largest: the largest arrays of the program, as (type, bytes), one for each
      type.
  """

  cycles: int
  collectives: Mapping[str, Collective]
  kernels: int
  endless: int
  largest: tuple[tuple[str, int], ...]


def read(text: str) -> Program:
  """What the text of a compiled program says.

  Args:
    text: `compiled.as_text()`.

  Raises:
    ValueError: if it has no entry, so is not such a text.
  """
  computations, entry = _program(text)
  cycles = kernels = endless = 0
  counts: dict[str, int] = collections.Counter()
  sizes: dict[str, int] = collections.Counter()
  arrays: dict[str, int] = {}
  for instruction, times, scheduled in _walk(computations, entry, 1, True):
    kind = instruction.opcode.removesuffix('-start')
    if kind in COLLECTIVES:
      counts[kind] += times
      sizes[kind] += times * _collective_bytes(kind, instruction)
    if not scheduled:
      continue
    arrays |= dict(_arrays(instruction))
    if instruction.opcode == 'while':
      endless += _trips(instruction, computations) is None
    elif instruction.opcode not in _CALLS:
      found = instruction.cycles
      cycles += times * (found or 0)
      kernels += times * (found is None and instruction.opcode == 'custom-call')
  return Program(
    cycles=cycles,
    collectives={
      kind: Collective(counts[kind], sizes[kind]) for kind in sorted(counts)
    },
    kernels=kernels,
    endless=endless,
    largest=tuple(sorted(arrays.items(), key=lambda a: -a[1])[:32]),
  )


def cycles_by_operation(text: str) -> Mapping[str, int]:
  """Cycles of a run, by the operation of the source that they are for.

  Args:
    text: `compiled.as_text()`.

  Returns:
    name of the operation, with its scopes ('' where the compiler gives none)
    -> estimated cycles. A fusion counts as one operation of those in it, as the
    compiler names it.

  Raises:
    ValueError: as `read`.
  """
  found: dict[str, int] = collections.Counter()
  for instruction, times, scheduled in _walk(*_program(text), 1, True):
    if scheduled and instruction.opcode not in _CALLS:
      name = _OPERATION.search(instruction.text)
      cycles = instruction.cycles or 0
      found[name[1] if name else ''] += times * cycles
  return found


def _program(text: str) -> tuple[dict[str, list[Instruction]], str]:
  """As `_computations`, of a text that has an entry."""
  computations, entry = _computations(text)
  if not entry:
    raise ValueError('the text of the program has no ENTRY computation')
  return computations, entry


def _computations(text: str) -> tuple[dict[str, list[Instruction]], str]:
  """Name -> instructions of every computation, and the name of the entry."""
  found: dict[str, list[Instruction]] = {}
  entry, current = '', None
  for line in text.splitlines():
    if current is None:
      if header := _HEADER.match(line):
        current = found.setdefault(header[2], [])
        entry = header[2] if header[1] else entry
    elif line == '}':  # a kernel's metadata may have a line '}}, ...'
      current = None
    elif (given := _INSTRUCTION.match(line)) and (
      opcode := _OPCODE.search(given[2])
    ):
      current.append(Instruction(given[1], opcode[1], given[2]))
  return found, entry


def _walk(
  computations: Mapping[str, list[Instruction]],
  name: str,
  times: int,
  scheduled: bool,
) -> Iterator[tuple[Instruction, int, bool]]:
  """(instruction, how often it is run, whether it is scheduled by itself).

  What a fusion or an asynchronous operation calls is part of it.
  """
  for instruction in computations.get(name, ()):
    yield instruction, times, scheduled
    repeated, called = times, instruction.called
    if instruction.opcode == 'while':
      repeated *= _trips(instruction, computations) or 1
    inside = scheduled and instruction.opcode in _CALLS
    for other in called:
      yield from _walk(computations, other, repeated, inside)


def _trips(
  loop: Instruction, computations: Mapping[str, list[Instruction]]
) -> int | None:
  """How often a loop repeats: as the compiler notes, or as it is compared."""
  if known := _TRIPS.search(loop.text):
    return int(known[1])
  condition = re.search(r'condition=%?([\w.\-]+)', loop.text)
  assert condition, loop
  limits = [
    int(found[1])
    for instruction, _, _ in _walk(computations, condition[1], 1, True)
    if (found := _CONSTANT.search(instruction.text))
  ]
  return limits[0] if len(limits) == 1 else None


def _type(instruction: Instruction) -> str:
  """The part before the opcode."""
  found = _OPCODE.search(instruction.text)
  assert found, instruction
  return instruction.text[: found.start()]


def _arrays(instruction: Instruction) -> Iterator[tuple[str, int]]:
  """(type, bytes) of the arrays that an instruction makes."""
  for dtype, shape in _ARRAY.findall(_type(instruction)):
    yield f'{dtype}[{shape}]', _nbytes(dtype, shape)


def _nbytes(dtype: str, shape: str) -> int:
  bits = 8 if dtype == 'pred' else int((re.search(r'\d+', dtype) or '8')[0])
  return (
    math.prod(map(int, shape.split(','))) * bits // 8 if shape else (bits // 8)
  )


def _collective_bytes(kind: str, instruction: Instruction) -> int:
  sizes = [size for _, size in _arrays(instruction)]
  started = instruction.opcode.endswith('-start')
  # A start has its operands next to its results.
  size = max(sizes, default=0) if started else sum(sizes)
  if kind == 'reduce-scatter' and not started:
    size *= _group_size(instruction)
  return size


def _group_size(instruction: Instruction) -> int:
  """Devices that take part in a collective together; 1 if it does not say."""
  found = _GROUPS.search(instruction.text)
  if not found:
    return 1
  listed, size, axes, names = found.groups()
  if listed is not None:
    return len(listed.split(','))
  if size is not None:
    return int(size)
  lengths = dict(re.findall(r"'(\w+)'=(\d+)", axes))
  return math.prod(int(lengths[n]) for n in re.findall(r"'(\w+)'", names))
