"""Samples resumably: every batch is appended to a file once it is sampled."""

import dataclasses
import itertools
import pathlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from icl_gen import processes
from icl_gen.model.loading import Model
from icl_gen.sampling import sampler
from icl_gen.storage import files
from icl_gen.text.context import Context


def sample(
  model: Model,
  requests: Sequence[sampler.Request],
  context: Context,
  *,
  kept: files.Path,
  of: str,
  rows_per_batch: int = sampler.ROWS_PER_BATCH,
  **settings: Any,
) -> tuple[tuple[sampler.Completion, ...], dict[str, float]]:
  """Samples completions of all requests, and counts their cost.

  Several processes sample a batch each at a time, or, if the model is split
  over them, all of them the same one. A completion depends on its request only,
  so their number changes nothing.

  Args:
    model: the loaded model.
    requests: the prompts.
    context: the context that all prompts share; `contexts.NONE` for none.
    kept: a file for the batches. If it exists, sampling resumes from those of
      its batches that answer these requests and are unchanged. The caller
      deletes it after using the completions.
    of: what the completions depend on besides these arguments (the model), e.g.
      a digest of the settings.
    rows_per_batch: requests per batch.
    **settings: further keyword arguments of `sampler.sample`.

  Returns:
    completions in the order of the requests, and their cost: `requests`,
    `context_tokens`, `tokens_in`, `tokens_out` and `seconds`, including those
    of interrupted runs.

  Raises:
    ValueError: as `sampler.sample`.
    OSError: if the disk is full.
  """
  shared = files.digest([of, context.text, rows_per_batch, settings])
  batches = [
    requests[first : first + rows_per_batch]
    for first in range(0, len(requests), rows_per_batch)
  ]
  asked = [_asked(batch, shared) for batch in batches]
  part_of = _read(kept, asked)
  kept_parts = processes.agreed(lambda: sorted(part_of))
  rest = [
    (a, b) for a, b in zip(asked, batches, strict=True) if a not in kept_parts
  ]
  done = len(requests) - sum(len(batch) for _, batch in rest)
  start = time.monotonic()
  encoded = sampler.encode_context(model, context)
  settings = settings | {'rows_per_batch': rows_per_batch}
  for part in _sampled(model, rest, encoded, settings, start=start):
    if processes.is_first():
      files.append_json_line(kept, files.sealed(part))
    part_of[part['asked']] = part
    done += len(part['completions'])
    print(f'sampled {done}/{len(requests)}', flush=True)
  parts = [part_of[one] for one in asked]
  found = tuple(
    sampler.Completion(**completion)
    for part in parts
    for completion in part['completions']
  )
  cost = {
    'requests': len(requests),
    'context_tokens': 0 if encoded is None else int(encoded.length),
    'tokens_in': sum(completion.tokens_in for completion in found),
    'tokens_out': sum(completion.tokens_out for completion in found),
    'seconds': sum(part['seconds'] for part in parts),
  }
  return found, cost


def _sampled(
  model: Model,
  rest: Sequence[tuple[str, Sequence[sampler.Request]]],
  encoded: Any,
  settings: dict[str, Any],
  *,
  start: float,
) -> Iterator[dict[str, Any]]:
  """Yields a part for every named batch, in order; `start` is when it began."""
  # A model that several processes hold parts of answers to all of them at once.
  together = model.mesh is not None and model.mesh.is_multi_process
  first, step = (0, 1) if together else (processes.index(), processes.count())
  mine = rest[first::step]
  # Only whole batches are missing, so the sampler forms the same ones again.
  sampled = sampler.sample(
    model,
    [request for _, batch in mine for request in batch],
    encoded,
    **settings,
  )
  own = zip([name for name, _ in mine], sampled, strict=True)
  for _ in range(0, len(rest), step):
    part: dict[str, Any] = {}  # of a process that has no batch left
    for name, completions in itertools.islice(own, 1):
      took, start = time.monotonic() - start, time.monotonic()
      part = {
        'asked': name,
        'seconds': took,
        'completions': [dataclasses.asdict(c) for c in completions],
      }
    found = processes.gathered(part)
    yield from filter(None, found[:1] if together else found)


def _asked(batch: Sequence[sampler.Request], shared: str) -> str:
  """Returns what identifies a batch: its requests and all that they share."""
  fields = [field.name for field in dataclasses.fields(sampler.Completion)]
  prompts = [[request.name, request.prompt] for request in batch]
  return files.digest([shared, prompts, fields])


def _read(kept: files.Path, asked: Sequence[str]) -> dict[str, dict[str, Any]]:
  """Returns the kept parts that answer a batch, by what they were asked."""
  if not pathlib.Path(kept).exists():
    return {}
  parts = files.read_sealed_lines(kept)
  return {part['asked']: part for part in parts if part.get('asked') in asked}
