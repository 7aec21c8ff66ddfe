"""What the documentation names exists: files, headings, doors and configs."""

import ast
import re

import pytest

from icl_gen import __main__ as overview
from tests.rules import ROOT, is_door

PAGES = [
  *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')),
  *sorted((ROOT / 'docs').glob('*.md')),
  *sorted((ROOT / 'icl_gen' / 'assets').glob('*.md')),
]
_LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')
_FENCED = re.compile(r'^```.*?^```', re.MULTILINE | re.DOTALL)
# The repository's address is not known here; only a host can resolve these.
_OF_HOST = '../../actions/'


def link_complaints(page, text):
  """Relative links of a page that lead to no file or no heading."""
  complaints = []
  for link in _LINK.findall(_FENCED.sub('', text)):
    if re.match(r'[a-z]+:', link) or link.startswith(_OF_HOST):
      continue
    path, _, anchor = link.partition('#')
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
      complaints.append(f'{page.name}: no file {link}')
    elif anchor and anchor not in _anchors(
      text if target == page else target.read_text('utf-8')
    ):
      complaints.append(f'{page.name}: no heading {link}')
  return complaints


def _anchors(text):
  """The anchors that hosts derive from a page's headings."""
  headings = re.findall(r'^#+ (.+)$', _FENCED.sub('', text), re.MULTILINE)
  return {
    re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
    for heading in headings
  }


def command_complaints(text):
  """Commands that name a module, a config or a variant that is not there."""
  modules = set(re.findall(r'python -m (icl_gen[\w.]*\w)', text))
  configs = set(re.findall(r'configs/\w+\.py(?::[\w,]+)?', text))
  return [
    *(f'no command {module}' for module in modules if not _runs(module)),
    *(f'no config {config}' for config in configs if not _loads(config)),
  ]


def target_complaints(text):
  """Targets of make that the Makefile does not have."""
  named = set(re.findall(r'(?:`|^ *)make ([a-z][a-z-]*)', text, re.MULTILINE))
  return [f'no target {name}' for name in sorted(named - _targets())]


def _targets():
  makefile = (ROOT / 'Makefile').read_text('utf-8')
  (phony,) = re.findall(r'^\.PHONY: (.*)$', makefile, re.MULTILINE)
  return {*phony.replace('$(EXTRAS)', '').split(), *_extras()}


def _extras():
  makefile = (ROOT / 'Makefile').read_text('utf-8')
  (extras,) = re.findall(r'^EXTRAS := (.*)$', makefile, re.MULTILINE)
  return extras.split()


def _runs(module):
  source = (ROOT / module.replace('.', '/')).with_suffix('.py')
  return source.is_file() and (
    is_door(module) or "__name__ == '__main__'" in source.read_text('utf-8')
  )


def _loads(config):
  path, _, variants = config.partition(':')
  if not (ROOT / path).is_file():
    return False
  return set(variants.split(',')) - {''} <= _variants(ROOT / path)


def _variants(path):
  """The config's VARIANTS, read without importing it."""
  for node in ast.parse(path.read_text('utf-8')).body:
    if isinstance(node, ast.Assign) and node.targets[0].id == 'VARIANTS':
      return set(ast.literal_eval(node.value))
  return set()


# --- every rule can complain ------------------------------------------------


@pytest.mark.parametrize(
  ('text', 'complaint'),
  [
    ('[a](docs/no-such-page.md)', 'README.md: no file docs/no-such-page.md'),
    ('![a](no.png)', 'README.md: no file no.png'),
    ('# One\n[a](#two)', 'README.md: no heading #two'),
    ('[a](LICENSE#none)', 'README.md: no heading LICENSE#none'),
  ],
)
def test_a_dead_link_is_found(text, complaint):
  assert link_complaints(ROOT / 'README.md', text) == [complaint]


@pytest.mark.parametrize(
  'text',
  [
    '[a](https://example.org/none) [b](LICENSE)',
    '# Two words, `code`\n[a](#two-words-code)',
    '```\n[a](none.md)\n```',
  ],
)
def test_a_live_link_is_not_found(text):
  assert link_complaints(ROOT / 'README.md', text) == []


@pytest.mark.parametrize(
  ('text', 'complaint'),
  [
    ('python -m icl_gen.nothing --x', 'no command icl_gen.nothing'),
    ('python -m icl_gen.types', 'no command icl_gen.types'),
    ('--config=configs/nothing.py', 'no config configs/nothing.py'),
    ('configs/reversal.py:huge', 'no config configs/reversal.py:huge'),
  ],
)
def test_a_wrong_command_is_found(text, complaint):
  assert command_complaints(text) == [complaint]


def test_a_right_command_is_not_found():
  assert not command_complaints(
    'python -m icl_gen.study --config=configs/study.py:custom,tiny\n'
    'python -m icl_gen.scoring.lm_eval_model'
  )


def test_a_wrong_target_is_found():
  assert target_complaints('run `make tee`\n  make study') == ['no target tee']


# --- the pages keep them ----------------------------------------------------


# The build notes are a dated log: commands in it may be gone by now.
@pytest.mark.parametrize(
  'page', [*PAGES, ROOT / 'BUILD_NOTES.md'], ids=lambda page: page.name
)
def test_links_lead_to_files_and_headings(page):
  assert link_complaints(page, page.read_text('utf-8')) == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_commands_name_doors_and_configs(page):
  assert command_complaints(page.read_text('utf-8')) == []


@pytest.mark.parametrize(
  'path',
  [
    *PAGES,
    ROOT / 'icl_gen/scoring/lm_eval_model.py',
    ROOT / 'icl_gen/worlds/celebrity/files.py',
  ],
  ids=lambda path: path.name,
)
def test_commands_name_targets_of_the_makefile(path):
  text = path.read_text('utf-8')
  assert target_complaints(text) == []
  # pip would install more than is pinned.
  assert not re.search(r'pip install\b.*\[[a-z_-]+\]', text)


def test_extras_have_the_names_that_installers_use():
  """They normalise others, and install nothing for those."""
  source = (ROOT / 'setup.py').read_text('utf-8')
  (block,) = re.findall(r'extras_require=\{(.*?)\n  \}', source, re.DOTALL)
  names = re.findall(r"^    '([^']+)': \[", block, re.MULTILINE)
  assert set(_extras()) < set(names)
  assert [name for name in names if re.search('[^a-z0-9-]', name)] == []


def test_the_overview_lists_every_door_with_an_example_that_runs():
  doors = {
    path.stem
    for path in (ROOT / 'icl_gen').glob('*.py')
    if 'cli.main(' in path.read_text('utf-8') and path.stem != 'cli'
  }
  assert doors == set(overview.DOORS)
  lines = overview.lines()
  assert len(lines) == 2 * len(overview.DOORS)
  assert command_complaints('\n'.join(lines)) == []
  for door, line, example in zip(
    overview.DOORS, lines[::2], lines[1::2], strict=True
  ):
    assert line.startswith(f'{door} ') and line.endswith('.')
    assert example.lstrip().startswith(f'python -m icl_gen.{door} --')


def test_every_page_of_docs_is_linked_from_the_readme():
  readme = (ROOT / 'README.md').read_text('utf-8')
  pages = [f'docs/{page.name}' for page in (ROOT / 'docs').glob('*.md')]
  assert pages
  assert [page for page in pages if f']({page})' not in readme] == []
