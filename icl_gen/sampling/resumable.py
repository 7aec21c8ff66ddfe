"""Samples resumably: every batch is appended to a file once it is sampled."""

import dataclasses
import pathlib
import time
from collections.abc import Sequence
from typing import Any

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
  **settings: Any,
) -> tuple[tuple[sampler.Completion, ...], dict[str, float]]:
  """Samples completions of all requests, and counts their cost.

  Args:
    model: the loaded model.
    requests: the prompts.
    context: the context that all prompts share; `contexts.NONE` for none.
    kept: a file for the batches. If it exists, sampling resumes from it; it
      must come from the same model, requests, context and settings. The caller
      deletes it after using the completions.
    **settings: keyword arguments of `sampler.sample`.

  Returns:
    completions in the order of the requests, and their cost: `requests`,
    `context_tokens`, `tokens_in`, `tokens_out` and `seconds`, including those
    of interrupted runs.

  Raises:
    ValueError: as `sampler.sample`, or if a line of `kept` is not JSON.
    OSError: if the disk is full.
  """
  batches = files.read_json_lines(kept) if pathlib.Path(kept).exists() else ()
  done = [
    sampler.Completion(**completion)
    for batch in batches
    for completion in batch['completions']
  ]
  seconds = sum(batch['seconds'] for batch in batches)
  start = time.monotonic()
  encoded = sampler.encode_context(model, context)
  rest = requests[len(done) :]
  for completions in sampler.sample(model, rest, encoded, **settings):
    took, start = time.monotonic() - start, time.monotonic()
    files.append_json_line(
      kept,
      {
        'seconds': took,
        'completions': [dataclasses.asdict(c) for c in completions],
      },
    )
    seconds += took
    done += completions
    print(f'sampled {len(done)}/{len(requests)}', flush=True)
  return tuple(done), {
    'requests': len(requests),
    'context_tokens': 0 if encoded is None else int(encoded.length),
    'tokens_in': sum(completion.tokens_in for completion in done),
    'tokens_out': sum(completion.tokens_out for completion in done),
    'seconds': seconds,
  }
