"""Sampling that goes on where it was killed: batches are kept as they come."""

import dataclasses
import pathlib
import time
from collections.abc import Sequence

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
  **settings,
) -> tuple[tuple[sampler.Completion, ...], dict[str, float]]:
  """Completions of all requests, and what they cost.

  Args:
    model: the loaded model.
    requests: the prompts.
    context: what all prompts follow; `contexts.NONE` for nothing.
    kept: a file for the batches. If it is there, it must be of the same model,
      requests, context and settings: it is gone on from. The caller deletes it,
      once it has made something of the completions.
    **settings: of `sampler.sample`.

  Returns:
    completions, in the order of the requests; and `requests`, `context_tokens`,
    `tokens_in`, `tokens_out` and `seconds`, those before a kill included.

  Raises:
    ValueError: as `sampler.sample`, or for a line of `kept` that is not JSON.
    OSError: the disk is full.
  """
  batches = files.read_json_lines(kept) if pathlib.Path(kept).exists() else ()
  done = [
    sampler.Completion(**completion)
    for batch in batches
    for completion in batch['completions']
  ]
  seconds = sum(batch['seconds'] for batch in batches)
  began = time.monotonic()
  shared = sampler.encode_context(model, context)
  rest = requests[len(done) :]
  for completions in sampler.sample(model, rest, shared, **settings):
    took, began = time.monotonic() - began, time.monotonic()
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
    'context_tokens': 0 if shared is None else int(shared.length),
    'tokens_in': sum(completion.tokens_in for completion in done),
    'tokens_out': sum(completion.tokens_out for completion in done),
    'seconds': seconds,
  }
