"""How two trees of arrays differ, in words."""


def describe(found: dict[str, str], wanted: dict[str, str]) -> str:
  """A description of the first three differences; '' if there are none."""
  names = [
    name
    for name in sorted(found.keys() | wanted.keys())
    if found.get(name) != wanted.get(name)
  ]
  words = [
    f'{name} is {found.get(name, "missing")}, expected'
    f' {wanted.get(name, "no such name")}'
    for name in names[:3]
  ]
  if len(names) > 3:
    words.append(f'and {len(names) - 3} more')
  return '; '.join(words)
