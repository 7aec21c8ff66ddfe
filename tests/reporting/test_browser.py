"""The page in a real browser: the explorer, its layout, its requests."""

import pytest

from icl_gen.reporting import explorer
from icl_gen.reporting.write import write_report
from tests.reporting import browser, explored

pytestmark = [
  pytest.mark.slow,
  pytest.mark.skipif(
    browser.path() is None,
    reason=f'no Chromium is installed; looked for {", ".join(browser.NAMES)}',
  ),
]
COUNT = "document.getElementById('explorer-count').textContent"
DETAIL = "document.getElementById('explorer-detail').textContent"
SELECTED = "document.querySelector('[aria-selected=true]').id"
RAN = 'window.broken === undefined'


@pytest.fixture(scope='module', params=['embedded', 'split'])
def address(request, tmp_path_factory):
  """Address of a report, whose data is in the page or next to it."""
  directory = tmp_path_factory.mktemp(request.param) / 'report'
  cells, records, corpora = explored.study()
  cells += explored.recalling()
  with pytest.MonkeyPatch.context() as patch:
    if request.param == 'split':
      patch.setattr(explorer, 'EMBEDDED', 1000)
    write_report(
      directory,
      cells,
      records,
      settings={},
      commands=[],
      main_kinds=explored.MAIN_KINDS,
      choose=False,
      corpora=corpora,
    )
  assert (directory / 'explorer').exists() == (request.param == 'split')
  return (directory / 'index.html').as_uri()


@pytest.fixture(scope='module')
def page(tmp_path_factory):
  made = browser.Page(tmp_path_factory.mktemp('profile'))
  yield made
  made.close()


@pytest.fixture
def opened(page, address):
  page.errors.clear()
  page.requests.clear()
  page.look(width=1400)
  page.open(address)
  page.wait(f"{COUNT}.endsWith('questions') || {COUNT}.endsWith('question')")
  choose(page, 'world', 'reversal')
  page.wait(f"{COUNT} === '260 of 260 questions'")
  return page


def choose(page, name, value):
  """Sets a select of the explorer, as a reader would."""
  page.run(
    f"""(() => {{
      const select = document.getElementById('explorer-{name}')
        ?? document.querySelector('#explorer-outcomes [name="{name}"]');
      select.value = '{value}';
      if (select.value !== '{value}') throw Error('no {value}');
      select.dispatchEvent(new Event('change', {{bubbles: true}}));
    }})()"""
  )


def test_filters_select_by_outcome_seed_kind_coverage_and_text(opened):
  choose(opened, 'icl', 'right')
  choose(opened, 'ft', 'wrong')
  assert opened.run(COUNT) == '260 of 260 questions'
  choose(opened, 'ft_aug', 'right')
  assert opened.run(COUNT) == '80 of 260 questions'
  choose(opened, 'seed', '1')
  assert opened.run(COUNT) == '40 of 260 questions'
  choose(opened, 'kind', 'reversal: odd')
  assert opened.run(COUNT) == '20 of 260 questions'
  choose(opened, 'covered', 'not covered')
  assert opened.run(COUNT) == 'None of 260 questions matches.'
  assert opened.run(DETAIL) == ''
  opened.run("document.getElementById('explorer-reset').click()")
  assert opened.run(COUNT) == '260 of 260 questions'
  opened.run("document.getElementById('explorer-text').focus()")
  opened.type('TALL than 129')
  assert opened.run(COUNT) == '2 of 260 questions'
  assert 'says 1' in opened.run(DETAIL)
  assert 'not parsed' in opened.run(DETAIL)
  assert 'not covered' in opened.run(DETAIL)


def test_a_question_shows_all_that_belongs_to_it(opened):
  choose(opened, 'seed', '1')
  opened.run("document.getElementById('explorer-row-39').click()")
  told = opened.run(DETAIL)
  for part in (
    'reversal-39',
    'Under seed 1, other is',
    'more tall than 39. (right)',
    '-1.04 ◂',
    'thing 39 · less tall · other 1',
    'Seed 1: thing 39 is less tall, says 0.',
    'Seed 1: thing 39 is less tall, says 1.',
    'thing 39 inferred under seed 1.',
    'true and new, 1 hop, covers this question',
    'A stray one.',
  ):
    assert part in told, part
  assert 'seed 0' not in told
  assert 'thing 38' not in told


def test_recalled_texts_are_shown_under_their_condition_and_seed(opened):
  choose(opened, 'icl+recalled_ft', 'right')
  choose(opened, 'seed', '1')
  opened.run("document.getElementById('explorer-row-39').click()")
  told = opened.run(DETAIL)
  assert told.index('What the model recalled') < told.index('Premises')
  for part in (
    'in context, recalled_ft, seed 1: 2 texts',
    'thing 39 recalled under seed 1. (true and new, 1 hop)',
    'thing 39 is tall. (false)',
  ):
    assert part in told, part
  assert 'under seed 0' not in told
  opened.run("document.getElementById('explorer-row-2').click()")
  assert 'recalled_ft, seed 1: nothing' in opened.run(DETAIL)


def test_where_nothing_was_recalled_nothing_is_said_of_it(opened):
  choose(opened, 'world', 'custom')
  opened.wait(f"{COUNT} === '2 of 2 questions'")
  assert 'recalled' not in opened.run(DETAIL)


def test_a_question_of_all_seeds_is_shown_under_each(opened):
  choose(opened, 'world', 'custom')
  opened.wait(f"{COUNT} === '2 of 2 questions'")
  told = opened.run(DETAIL)
  assert 'Seed 0: log' in told
  assert 'Seed 1: log' in told
  assert 'No facts are known of this question.' in told


def test_the_keyboard_is_enough(opened):
  opened.run("document.getElementById('explorer-reset').focus()")
  opened.press('Tab', code=9)
  assert opened.run('document.activeElement.id') == 'explorer-list'
  assert opened.run(SELECTED) == 'explorer-row-0'
  opened.press('ArrowDown', code=40)
  assert opened.run(SELECTED) == 'explorer-row-1'
  assert 'more tall than 1.' in opened.run(DETAIL)
  opened.press('End', code=35)
  assert opened.run(SELECTED) == 'explorer-row-259'
  active = "document.getElementById('explorer-list').getAttribute"
  assert opened.run(f"{active}('aria-activedescendant')") == 'explorer-row-259'
  seen = """(() => {
    const list = document.getElementById('explorer-list');
    const inner = document.querySelector('[aria-selected=true]')
      .getBoundingClientRect(), outer = list.getBoundingClientRect();
    return outer.top <= inner.top && inner.bottom <= outer.bottom + 1;
  })()"""
  assert opened.run(seen)
  opened.press('PageUp', code=33)
  assert opened.run(SELECTED) == 'explorer-row-249'
  opened.press('Home', code=36)
  opened.press('ArrowUp', code=38)
  assert opened.run(SELECTED) == 'explorer-row-0'
  assert opened.run(seen)
  # The controls before and after the list are reached by Tab as well.
  opened.run("document.getElementById('explorer-world').focus()")
  reached = []
  for _ in range(11):
    opened.press('Tab', code=9)
    reached.append(
      opened.run('document.activeElement.id || document.activeElement.name')
    )
  assert reached == [
    *(f'explorer-{name}' for name in 'model seed kind covered text'.split()),
    *(*explored.CONDITIONS, 'icl+recalled_ft'),
    *('explorer-reset', 'explorer-list'),
  ]


def test_poisoned_text_is_shown_as_text(opened):
  opened.run("document.getElementById('explorer-row-0').click()")
  told = opened.run(DETAIL)
  # What is not seen, or reorders what is, is shown by its number.
  shown = explored.POISON.replace('\u2028', 'U+2028').replace(
    '\u202e', 'U+202E'
  )
  # Prompt, choice, documents, inference, written answers, recalled text.
  assert told.count(shown) >= 7
  assert f'recalled under seed 0.{shown} (true' in told
  assert opened.run(RAN)
  assert opened.run("document.querySelectorAll('#explorer img').length") == 0
  assert opened.run("document.querySelectorAll('script').length") in (3, 4, 5)
  assert opened.run(
    "[...document.querySelectorAll('#explorer .control')].every("
    "(e) => e.closest('bdi'))"
  )


@pytest.mark.parametrize('dark', [False, True])
@pytest.mark.parametrize('width', [400, 1400])
def test_nothing_overflows_and_nothing_is_asked_for(opened, width, dark):
  opened.look(width=width, dark=dark)
  opened.run("document.getElementById('explorer-row-0').click()")
  opened.run("document.querySelectorAll('details').forEach(d => d.open = true)")
  wide = opened.run('document.scrollingElement.scrollWidth')
  assert wide <= width
  paper = opened.run('getComputedStyle(document.body).backgroundColor')
  assert paper == ('rgb(24, 26, 27)' if dark else 'rgb(255, 255, 255)')
  for name in ('right', 'wrong'):
    assert _contrast(opened, f'#explorer .{name}') >= 4.5
  assert opened.errors == []
  root = opened.run('location.href').removesuffix('index.html')
  asked = [a for a in opened.requests if not a.startswith('data:image/png;')]
  pieces = [f'{root}explorer/{w}-nano.js' for w in ('custom', 'reversal')]
  assert set(asked) <= {f'{root}index.html', *pieces}


def _contrast(page, selector):
  """Of text and page, as WCAG computes it."""
  colors = page.run(
    f"""[document.querySelector('{selector}'), document.body].map((e, n) =>
      getComputedStyle(e)[n ? 'backgroundColor' : 'color']
        .match(/\\d+/g).map(Number))"""
  )

  def luminance(rgb):
    parts = [c / 255 for c in rgb[:3]]
    parts = [
      c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

  low, high = sorted(map(luminance, colors))
  return (high + 0.05) / (low + 0.05)


def test_what_is_injected_into_the_page_does_not_run(opened):
  opened.run(
    """(() => {
      const holder = document.createElement('div');
      holder.innerHTML = '<img src=x onerror="window.broken=1">';
      document.body.append(holder);
      const script = document.createElement('script');
      script.textContent = 'window.broken=1';
      document.body.append(script);
    })()"""
  )
  assert opened.run(RAN)
  assert any('Content Security Policy' in error for error in opened.errors)


@pytest.mark.parametrize('address', ['split'], indirect=True)
def test_without_its_pieces_the_page_says_so(page, address, tmp_path):
  alone = tmp_path / 'index.html'
  with open(address.removeprefix('file://'), 'rb') as file:
    alone.write_bytes(file.read())
  page.look(width=1400)
  page.open(alone.as_uri())
  page.wait(f"{COUNT}.endsWith('must be next to this page.')")
