"""Lengths that contexts and rows are padded to; each is compiled once.

Imports nothing, so that a launch can say which programs a study needs.
"""

# Tokens per chunk of a context.
CHUNK = 512
# Rows of similar documents then have one length, and compile once.
_MULTIPLE = 16


def bucket(length: int, *, chunk: int) -> int:
  """The buffer for a context of `length` tokens: 1, 2, 3, 4, 6, 8, 12 chunks.

  Only powers of two and the midpoints between them, since every capacity is
  compiled: up to 131,072 tokens there are 16 with chunks of 512. At most half
  of a buffer of several chunks is empty.
  """
  chunks = -(-length // chunk)
  power = 1 << max(chunks - 1, 0).bit_length()
  return chunk * (power // 4 * 3 if chunks <= power // 4 * 3 else power)


def row(length: int, *, longest: int) -> int:
  """Tokens of a row of training: as set, or as the longest example needs.

  Args:
    length: as set; 0 if it follows from the examples.
    longest: tokens of the longest example.
  """
  return length or -(-longest // _MULTIPLE) * _MULTIPLE
