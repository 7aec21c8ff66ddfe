"""Other texts that fine-tuning goes on with, so that less is forgotten."""

import pathlib
from typing import Any

from icl_gen.storage import corpus_files
from icl_gen.types import Document
from icl_gen.worlds import custom, gathered


def documents(path: str) -> tuple[Document, ...]:
  """Reads the texts.

  Args:
    path: a directory that `build` or `augment` wrote, or one of your own
      documents, as `custom.from_folder` reads them. Questions are left out.

  Raises:
    ValueError: there is no such directory, or its files are not as they should
      be.
  """
  if _is_built(path):
    return corpus_files.read_documents([path])
  _, corpus = custom.from_folder(path, seed='')
  return corpus.documents


def fingerprint(path: str) -> dict[str, Any]:
  """What a stage that reads the texts depends on; {} for the path ''.

  Raises:
    ValueError: as `documents`.
  """
  if not path:
    return {}
  if not pathlib.Path(path).is_dir():
    raise ValueError(
      f'--config.train.replay={path!r} is no directory: give one that `build`'
      f' wrote, or one with {custom.DOCUMENTS} or text files'
      f' ({", ".join(gathered.TEXTS)})'
    )
  if _is_built(path):
    return {'replay_is': corpus_files.read_manifest(path)['sha256']}
  return {'replay_is': custom.fingerprint(path)}


def _is_built(path: str) -> bool:
  return (pathlib.Path(path) / corpus_files.MANIFEST).exists()
