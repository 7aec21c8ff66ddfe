"""Lists the commands: python -m icl_gen."""

import ast
import pathlib
import re
import signal

# In the order in which one needs them; what they do is in their docstrings.
DOORS = (
  'study',
  'report',
  'status',
  'build',
  'train',
  'augment',
  'evaluate',
  'export',
  'compile',
  'measure',
  'pretrain',
)


def lines() -> list[str]:
  """A line for each command, and an example below it."""
  told = []
  for door in DOORS:
    path = pathlib.Path(__file__).with_name(f'{door}.py')
    text = ast.get_docstring(ast.parse(path.read_text('utf-8'))) or ''
    first = text.partition('\n')[0]
    example = re.search(r'python -m (?:[^\\\n]|\\\n)+', text)
    assert example, f'{path} has no example'
    one_line = ' '.join(example[0].replace('\\\n', ' ').split())
    told += [f'{door:9} {first}', f'{"":9}   {one_line}']
  return told


if __name__ == '__main__':
  # What `| head` leaves unread is no mistake.
  signal.signal(signal.SIGPIPE, signal.SIG_DFL)
  print('Commands, each with an example; --help of one says more:\n')
  print(*lines(), sep='\n')
