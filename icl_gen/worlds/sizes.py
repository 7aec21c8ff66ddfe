"""Checks on the arguments that size a world; each names what is allowed."""

from collections.abc import Collection, Mapping

from icl_gen.text.forms import split

# More than this is a mistake: the papers' worlds have thousands of documents.
MOST = 1_000_000


def require_positive(world: str, **counts: int) -> None:
  """Raises ValueError unless every count is a whole number from 1 to MOST."""
  for name, count in counts.items():
    if not isinstance(count, int):
      raise ValueError(
        f'{world} with {name}={count!r}; give a whole number, 1 or more'
      )
    if count < 1:
      raise ValueError(
        f'empty world: {world} with {name}={count}; give 1 or more'
      )
  require_between(world, least=1, most=MOST, why='', **counts)


def require_between(
  world: str, *, least: float, most: float, why: str = '', **values: float
) -> None:
  """Raises ValueError unless every value is a number in [least, most].

  `why` ends the message, to explain the limit.
  """
  for name, value in values.items():
    if not isinstance(value, int | float) or not least <= value <= most:
      reason = f': {why}' if why else ''
      raise ValueError(
        f'{world} with {name}={value!r}; allowed is {least:,} to'
        f' {most:,}{reason}'
      )


def require_one_of(
  world: str, allowed: Collection[object], **values: object
) -> None:
  """Raises ValueError unless every value is one of those allowed."""
  for name, value in values.items():
    if value not in allowed:
      raise ValueError(
        f'{world} with {name}={value!r}; allowed are {tuple(allowed)}'
      )


def require_forms(world: str, forms: str) -> None:
  """Raises ValueError unless this is a part of the tables of forms."""
  require_one_of(world, split.PARTS, forms=forms)


def options(
  defaults: Mapping[str, object], **given: object
) -> dict[str, object]:
  """The options that differ from their defaults, for a manifest.

  The others are left out, so that manifests stay as they were before there was
  the option.
  """
  return {key: v for key, v in given.items() if v != defaults[key]}
