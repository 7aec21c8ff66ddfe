"""Names of the models, and what is known of them before they are loaded.

Imports nothing, so that a command can refuse a name at once.
"""

# The embedded ones.
NANO = ('nano', 'nano_small', 'nano2')
# Name -> its class in `gemma.gm.nn`.
RELEASED = {
  'gemma2_2b': 'Gemma2_2B',
  'gemma2_9b': 'Gemma2_9B',
  'gemma2_27b': 'Gemma2_27B',
  'gemma3_270m': 'Gemma3_270M',
  'gemma3_1b': 'Gemma3_1B',
  'gemma3_4b': 'Gemma3_4B',
  'gemma3_12b': 'Gemma3_12B',
  'gemma3_27b': 'Gemma3_27B',
}
# Released too, but not plain transformers: see `package_forward`.
PACKAGED = {
  'gemma3n_e2b': 'Gemma3n_E2B',
  'gemma3n_e4b': 'Gemma3n_E4B',
  'gemma4_e2b': 'Gemma4_E2B',
  'gemma4_e4b': 'Gemma4_E4B',
  'gemma4_31b': 'Gemma4_31B',
  'gemma4_26b_a4b': 'Gemma4_26B_A4B',
}
ALL = (*NANO, *RELEASED, *PACKAGED)

# JAX has more dtypes; no model here has weights of the others.
DTYPES = ('float32', 'bfloat16', 'float16')
# Tokens of the longest rows that a model was trained on, by the beginning of
# its name; the first match counts. From the model cards.
_LONGEST = {
  'nano': 3_072,
  'gemma2': 8_192,
  'gemma3_270m': 32_768,
  'gemma3_1b': 32_768,
  'gemma3_': 131_072,
  'gemma3n': 32_768,
  'gemma4_e': 131_072,
  'gemma4_': 262_144,
}


def require_known(name: str) -> None:
  """Checks the name of a model.

  Raises:
    ValueError: if it is unknown.
  """
  if name not in ALL:
    raise ValueError(f'unknown model {name!r}; known are {", ".join(ALL)}')


def require_plain(name: str, *, door: str) -> None:
  """Checks, before loading it, that a model is a plain transformer.

  Args:
    name: one of ALL.
    door: the command that needs this, for the message.

  Raises:
    ValueError: for Gemma 3n and 4.
  """
  if name in PACKAGED:
    raise ValueError(
      f'{door} cannot use model {name!r}, which does not have the architecture'
      ' of Gemma 2 and 3; train, evaluate and augment can. Choose one of'
      f' {", ".join((*NANO, *RELEASED))}'
    )


def longest(name: str) -> int:
  """Tokens of the longest rows that a model was trained on."""
  return next(n for start, n in _LONGEST.items() if name.startswith(start))


_SHORTER = (
  'shorten it (a context, with --config.context.factor or'
  ' --config.context.budget)'
)


def require_room(
  name: str, *, tokens: int, what: str, remedy: str = _SHORTER
) -> None:
  """Checks that a row is no longer than the rows a model was trained on.

  Args:
    name: one of ALL.
    tokens: length of the row.
    what: what the row contains, for the message.
    remedy: what to do, for the message.

  Raises:
    ValueError: if it is longer, or the model is unknown.
  """
  require_known(name)
  most = longest(name)
  if tokens > most:
    raise ValueError(
      f'{what} takes {tokens:,} tokens, more than the {most:,} that {name!r}'
      f' was trained on: {remedy}'
    )
