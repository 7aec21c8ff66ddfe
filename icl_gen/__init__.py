"""In-context learning against fine-tuning: a controlled study with Gemma."""

import sys

from icl_gen import signals

# In `python -m icl_gen.<door>`, this file runs before all other imports; only
# then is argv[0] still '-m'.
if sys.argv[:1] == ['-m']:
  signals.end_while_importing()
