"""Names and paths of corpora and cells under a workdir.

<workdir>/corpora/<world>-s<seed>/                       documents, questions
<workdir>/corpora/<world>-s<seed>-augmented-<model>/     sampled inferences
<workdir>/runs/<world>-<condition>-<model>-s<seed>/      one cell

The last two end with `+<name>` if the run or the augmentation has a name: it is
then one of several that differ in their settings.
"""

import pathlib
import re

from icl_gen.reporting.records import CHOSEN, CellName
from icl_gen.storage import files

CONDITIONS = ('pretrained', 'icl', 'ft', 'ft_aug')
TRAINED = ('ft', 'ft_aug')

# Between a directory's name and that of a run; in no other name. Not `=`, as
# libraries take `key=value` in the path of a parquet file for a column.
_MARK = '+'
# What a run or an augmentation may be called.
_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.,-]{0,99}')


def read_run(name: str) -> CellName | None:
  """Returns what the name of a cell's directory says; None: it is none."""
  conditions = '|'.join(CONDITIONS)
  found = re.fullmatch(
    rf'(.+)-({conditions})-([^{_MARK}]+)-s(\d+)(?:\{_MARK}(.+))?', name
  )
  if found is None:
    return None
  world, condition, model, seed, run = found.groups(default='')
  return CellName(world, condition, model, int(seed), run)


def require_name(name: str, *, flag: str) -> None:
  """Checks the name of a run or an augmentation; '' is that of the first one.

  Args:
    name: what the config has.
    flag: its key in the config, for the message.

  Raises:
    ValueError: it cannot be part of a directory's name, or is reserved.
  """
  if name and (not _NAME.fullmatch(name) or name == CHOSEN):
    raise ValueError(
      f'--config.{flag}={name!r}: give up to 100 letters, digits, "_", ".", ","'
      f' and "-", the first one a letter or a digit, and not {CHOSEN!r}'
    )


def named(directory: str, name: str) -> str:
  """The name of a directory, of a run or an augmentation with a name."""
  return f'{directory}{_MARK}{name}' if name else directory


def name_of(directory: str) -> str:
  """The name of the run or augmentation in a directory's name; '' for none."""
  return directory.partition(_MARK)[2]


def is_named(directory: str, plain: str) -> bool:
  """Whether a directory's name is a plain one, perhaps with a name added."""
  return directory.partition(_MARK)[0] == plain


def corpus(workdir: files.Path, *, world: str, seed: int) -> pathlib.Path:
  """Directory of a world's documents and questions."""
  return pathlib.Path(workdir) / 'corpora' / f'{world}-s{seed}'


def augmented(
  workdir: files.Path, *, world: str, seed: int, model: str, name: str = ''
) -> pathlib.Path:
  """Directory of the inferences that a model sampled from a corpus."""
  directory = named(f'{world}-s{seed}-augmented-{model}', name)
  return pathlib.Path(workdir) / 'corpora' / directory


def run(
  workdir: files.Path,
  *,
  world: str,
  condition: str,
  model: str,
  seed: int,
  run: str = '',
) -> pathlib.Path:
  """Directory of one cell.

  Raises:
    ValueError: for an unknown condition.
  """
  if condition not in CONDITIONS:
    raise ValueError(
      f'condition {condition!r}; allowed are {", ".join(CONDITIONS)}'
    )
  name = named(f'{world}-{condition}-{model}-s{seed}', run)
  return pathlib.Path(workdir) / 'runs' / name
