"""Where things are: names of corpora and runs, and their directories.

<workdir>/corpora/<world>-s<seed>/                       what is said
<workdir>/corpora/<world>-s<seed>-augmented-<model>/     inferences
<workdir>/runs/<world>-<condition>-<model>-s<seed>/      one cell
"""

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from icl_gen.storage import corpus_files, files

CONDITIONS = ('pretrained', 'icl', 'ft', 'ft_aug')
TRAINED = ('ft', 'ft_aug')
# What a stage leaves in its directory, beside training states.
_RESULTS = {
  'train': 'params',
  'pretrain': 'params',
  'evaluate': files.DONE,
  'measure': 'in_context.json',
}
_DELETE = 'Give the same as then, another --workdir, or delete {}.'


def corpus(workdir: files.Path, *, world: str, seed: int) -> pathlib.Path:
  """Directory of a world's documents and questions."""
  return pathlib.Path(workdir) / 'corpora' / f'{world}-s{seed}'


def augmented(
  workdir: files.Path, *, world: str, seed: int, model: str
) -> pathlib.Path:
  """Directory of the inferences that a model drew from a corpus."""
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


def note_beside(directory: files.Path) -> pathlib.Path:
  """Where the settings of a directory that is written whole are noted."""
  directory = pathlib.Path(directory)
  return directory.parent / f'{directory.name}.settings'


def require(directory: files.Path, *, door: str) -> None:
  """Checks that a corpus is there.

  Raises:
    ValueError: if it is not; names the door that writes it.
  """
  if not corpus_files.is_written(directory):
    raise ValueError(
      f'there is no {str(directory)!r} yet: run `python -m icl_gen.{door}` with'
      ' the same config and --workdir first'
    )


def require_built(
  workdir: files.Path, *, world: str, seed: int, size: Mapping[str, Any]
) -> pathlib.Path:
  """Directory of a world's corpus, seen to be there and of this size.

  Raises:
    ValueError: if it is not there, or was built with another size.
  """
  directory = corpus(workdir, world=world, seed=seed)
  require(directory, door='build')
  _compare(
    directory,
    {'size': _noted(directory, note_beside(directory), 'build')['size']},
    {'size': dict(size.items())},
    remedy=_DELETE.format(
      f'it and {note_beside(directory)}, and build it again'
    ),
  )
  return directory


def require_trained(directory: files.Path) -> pathlib.Path:
  """Directory of a cell's weights, seen to be there.

  Raises:
    ValueError: if it is not.
  """
  params = pathlib.Path(directory) / 'params'
  if not params.exists():
    raise ValueError(
      f'{params.parent.name!r} is not trained: run icl_gen.train with the same'
      ' config first'
    )
  return params


def require_trained_alike(
  directory: files.Path, settings: Mapping[str, Any]
) -> None:
  """Checks that a cell was trained with some of today's settings.

  Raises:
    ValueError: names the first that differs.
  """
  noted = _noted(directory, directory, 'train')
  _compare(
    directory,
    {name: noted[name] for name in settings},
    settings,
    remedy='Give the tokenizer and the dtype that it was trained with.',
  )


def claim(
  directory: files.Path,
  stage: str,
  settings: Mapping[str, Any],
  *,
  parts: Iterable[files.Path] = (),
) -> None:
  """Notes the settings of a stage, or checks that they are the noted ones.

  So what a stage has written is never continued under other settings. A note
  with nothing written under it binds nobody: it is replaced, so that a mistake
  can be mended and the command given again.

  Args:
    directory: where the stage writes; made if need be.
    stage: 'train', 'evaluate', ...: the note is `<stage>.config.json`.
    settings: all that decides the stage's result; JSON values.
    parts: files that an unfinished stage goes on from, if `is_noted` of these
      settings; those of other ones are deleted.

  Raises:
    ValueError: if something was written with other settings; names the first
      that differs.
  """
  check(directory, stage, settings)
  if not is_noted(directory, stage, settings):
    for part in parts:
      pathlib.Path(part).unlink(missing_ok=True)
    files.write_json(_note(directory, stage), settings)


def check(
  directory: files.Path, stage: str, settings: Mapping[str, Any]
) -> None:
  """Checks that what a stage has written, if anything, is of these settings.

  Raises:
    ValueError: as `claim`.
  """
  if _has_begun(pathlib.Path(directory), stage):
    _compare(directory, _noted(directory, directory, stage), settings)


def is_noted(
  directory: files.Path, stage: str, settings: Mapping[str, Any]
) -> bool:
  """Whether a stage's note is there and says just this."""
  note = _note(directory, stage)
  return note.exists() and _flat(files.read_json(note)) == _flat(settings)


def forget(directory: files.Path, stage: str) -> None:
  """Removes a stage's note, as its result is about to be replaced."""
  _note(directory, stage).unlink(missing_ok=True)


def is_finished(
  directory: files.Path,
  stage: str,
  settings: Mapping[str, Any],
  *,
  whole: bool,
) -> bool:
  """Whether a directory that is written whole is there, of these settings.

  They are noted beside it (`note_beside`), as nothing may lie in it before.

  Args:
    directory: what the stage writes.
    stage: 'build', 'augment' or 'export'.
    settings: as of `claim`.
    whole: whether all that the stage writes lies there.

  Raises:
    ValueError: as `claim`, or if it is whole and has no note.
  """
  if whole:
    beside = note_beside(directory)
    _compare(
      directory,
      _noted(directory, beside, stage),
      settings,
      remedy=_DELETE.format(f'it and {beside}'),
    )
  return whole


def _has_begun(directory: pathlib.Path, stage: str) -> bool:
  """Whether a stage has written something that it would go on from."""
  if stage not in _RESULTS:  # Told by `is_finished`, or always replaced.
    return False
  states = [
    path
    for path in directory.glob('checkpoints/*')
    if path.name.isdigit() and _RESULTS[stage] == 'params'
  ]
  return bool(states) or (directory / _RESULTS[stage]).exists()


def _noted(
  directory: files.Path, noted_in: files.Path, stage: str
) -> dict[str, Any]:
  note = _note(noted_in, stage)
  if not note.exists():
    raise ValueError(
      f'{str(directory)!r} is there, but not {str(note)!r}, which tells how it'
      ' was made. Give another --workdir, or delete that directory.'
    )
  return files.read_json(note)


def _compare(
  directory: files.Path,
  before: Mapping[str, Any],
  now: Mapping[str, Any],
  *,
  remedy: str = _DELETE.format('that directory'),
) -> None:
  noted, wanted = _flat(before), _flat(now)
  for key in sorted(noted.keys() | wanted.keys()):
    was, wants = noted.get(key, 'absent'), wanted.get(key, 'absent')
    if was != wants:
      raise ValueError(
        f'{str(directory)!r} was begun with {key}={was!r}, now it is'
        f' {wants!r}. {remedy}'
      )


def _note(directory: files.Path, stage: str) -> pathlib.Path:
  return pathlib.Path(directory) / f'{stage}.config.json'


def _flat(settings: Mapping[str, Any], above: str = '') -> dict[str, Any]:
  """Dotted keys; tuples as lists, as JSON has them."""
  flat = {}
  for key, value in settings.items():
    if isinstance(value, Mapping):
      flat |= _flat(value, f'{above}{key}.')
    else:
      flat[above + key] = list(value) if isinstance(value, tuple) else value
  return flat
