"""Names and paths of corpora and cells under a workdir.

<workdir>/corpora/<world>-s<seed>/                       documents, questions
<workdir>/corpora/<world>-s<seed>-augmented-<model>/     sampled inferences
<workdir>/runs/<world>-<condition>-<model>-s<seed>/      one cell
"""

import pathlib

from icl_gen.storage import files

CONDITIONS = ('pretrained', 'icl', 'ft', 'ft_aug')
TRAINED = ('ft', 'ft_aug')


def corpus(workdir: files.Path, *, world: str, seed: int) -> pathlib.Path:
  """Directory of a world's documents and questions."""
  return pathlib.Path(workdir) / 'corpora' / f'{world}-s{seed}'


def augmented(
  workdir: files.Path, *, world: str, seed: int, model: str
) -> pathlib.Path:
  """Directory of the inferences that a model sampled from a corpus."""
  name = f'{world}-s{seed}-augmented-{model}'
  return pathlib.Path(workdir) / 'corpora' / name


def run(
  workdir: files.Path, *, world: str, condition: str, model: str, seed: int
) -> pathlib.Path:
  """Directory of one cell.

  Raises:
    ValueError: for an unknown condition.
  """
  if condition not in CONDITIONS:
    raise ValueError(
      f'condition {condition!r}; allowed are {", ".join(CONDITIONS)}'
    )
  name = f'{world}-{condition}-{model}-s{seed}'
  return pathlib.Path(workdir) / 'runs' / name
