"""Scores requests with lm-evaluation-harness's Hugging Face backend.

Called by `peers.lm_eval` in a separate environment (Python 3.11, `pip install
torch==2.13.0 transformers lm_eval accelerate`), exchanging files:

  PYTHON tests/bench/harness.py DIRECTORY

reads DIRECTORY/{config.json,model.safetensors,requests.json} and writes
DIRECTORY/results.json. Requests are token ids, so no tokenizer is needed; the
harness's batching, padding, sorting and reuse of one-token choices all apply.
"""

import json
import logging
import pathlib
import sys
import time

import tokenizers
import torch
import transformers
from lm_eval.models.huggingface import HFLM

# Otherwise it warns at every load that the model was passed as an object.
logging.disable(logging.WARNING)


def load(directory, batch_size):
  """The harness's model with the weights in the directory, in float32."""
  model = transformers.AutoModelForCausalLM.from_pretrained(
    directory, attn_implementation='sdpa', dtype=torch.float32
  )
  words = tokenizers.models.WordLevel({'<unk>': 3}, unk_token='<unk>')
  tokenizer = transformers.PreTrainedTokenizerFast(
    tokenizer_object=tokenizers.Tokenizer(words),
    pad_token='<pad>',
    eos_token='<eos>',
    bos_token='<bos>',
    unk_token='<unk>',
  )
  return HFLM(
    pretrained=model.eval(),
    tokenizer=tokenizer,
    batch_size=batch_size,
    max_length=model.config.max_position_embeddings,
    device='cpu',
    dtype='float32',
  )


def score(model, requests):
  """(log-probabilities, seconds) of [context ids, choice ids] pairs."""
  asked = [
    ((str(number), ''), context, choice)
    for number, (context, choice) in enumerate(requests)
  ]
  start = time.perf_counter()
  with torch.no_grad():
    found = model._loglikelihood_tokens(asked, disable_tqdm=True)
  return [logp for logp, _ in found], time.perf_counter() - start


def main(directory):
  """Scores each list of requests at the batch size that is fastest on a few."""
  results = {}
  for name, requests in json.loads(
    (directory / 'requests.json').read_text()
  ).items():
    speeds = {}
    for batch_size in (1, 8, 32):
      model = load(directory, batch_size)
      some = requests[:batch_size]
      score(model, some)  # The first call with a shape is slower.
      speeds[batch_size] = score(model, some)[1] / len(some)
      if batch_size >= len(requests):
        break
    best = min(speeds, key=speeds.get)
    logps, seconds = score(load(directory, best), requests)
    results[name] = {
      'logps': logps,
      'seconds': seconds,
      'requests': len(requests),
      'batch_size': best,
      'threads': torch.get_num_threads(),
    }
  (directory / 'results.json').write_text(json.dumps(results))


if __name__ == '__main__':
  main(pathlib.Path(sys.argv[1]))
