"""Loads an exported folder with transformers, as a user would.

Called by tests/model/test_transformers.py in a separate environment (Python
3.11, `pip install torch==2.13.0 transformers==5.24.0 numpy`; for adapters also
`peft`):

  PYTHON tests/golden/load_exported.py FOLDER ASKED.json FOUND.npz [ADAPTERS]

ASKED has `tokens_BxL` and `texts`; FOUND gets the logits of the tokens, the ids
of each text, the text of those ids, and the ids that end a generation. Whatever
transformers has to complain about goes to stderr.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import torch
import transformers


def main(folder, asked, found, adapters=None):
  """Computes everything that is asked."""
  transformers.utils.logging.disable_progress_bar()
  asked = json.loads(pathlib.Path(asked).read_text())
  model = transformers.AutoModelForCausalLM.from_pretrained(
    folder, attn_implementation='eager'
  )
  results = {
    'model_class': type(model).__name__,
    'dtype': str(model.dtype),
    'stops': model.generation_config.eos_token_id,
  }
  if adapters:
    import peft

    # peft uses names that transformers deprecates.
    warnings.simplefilter('ignore', FutureWarning)
    model = peft.PeftModel.from_pretrained(model, adapters)
  with torch.no_grad():
    tokens_BxL = torch.tensor(asked['tokens_BxL'])
    logits_BxLxV = model(tokens_BxL, use_cache=False).logits.float().numpy()
  if pathlib.Path(folder, 'tokenizer.json').exists():
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer(text).input_ids for text in asked['texts']]
    results |= {
      'ids': ids,
      'decoded': [tokenizer.decode(row[1:]) for row in ids],
      'specials': [
        tokenizer.pad_token_id,
        tokenizer.eos_token_id,
        tokenizer.bos_token_id,
        tokenizer.unk_token_id,
      ],
    }
  np.savez(found, logits_BxLxV=logits_BxLxV, results=json.dumps(results))


if __name__ == '__main__':
  main(*sys.argv[1:])
