"""Files and batches: the only room that knows how our records lie on disk.

Importing it registers our worlds as TFDS builders, see `builders`.
"""

from icl_gen.data import builders as builders
