"""Abilities: 'all glon are a kind of troff', 'all troff can swim'.

Said in pretraining only, so there is no reader.
"""

ABILITIES = tuple(
  """swim fly sing dig climb jump hunt glow float hide dance build run crawl
  whistle roll sting melt spin howl""".split()
)


def kind_of(child: str, parent: str) -> str:
  """Renders 'all glon are a kind of troff'."""
  return f'all {child} are a kind of {parent}'


def can(category: str, ability: str) -> str:
  """Renders 'all troff can swim'; `ability` is one of ABILITIES."""
  return f'all {category} can {ability}'
