"""Every line is kept, or dropped for a reason."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.augmentation import audit, parse, plan
from icl_gen.text import comparisons
from icl_gen.worlds import catalog, reversal

WORLD, CORPUS = reversal.build(seed='s', facts=3, documents_per_fact=2)
READ, JUDGE = catalog.reader(WORLD), audit.auditor(WORLD)
GIVEN, ENTAILED = WORLD.facts[0], WORLD.entailed[0].fact
STATED, NEW = comparisons.said(GIVEN) + '.', comparisons.said(ENTAILED) + '.'
WRONG = comparisons.said(reversal.contradict(GIVEN)) + '.'
REQUEST = plan.Request('local/fact-0000-00/0', 'local', 'fact-0000-00', 'say:')
OTHER = plan.Request(
  'global/fact-0001-00/1', 'global', 'fact-0001-00', 'say:', 'terse'
)


def parsed(*answered, longest=80):
  return parse.parse(
    answered,
    given=CORPUS.documents,
    read=READ,
    judge=JUDGE,
    fits=lambda text: len(text) <= longest,
    details={'model': 'nano', 'seed': '7'},
  )


@given(
  st.lists(
    st.tuples(
      st.sampled_from([REQUEST, OTHER]),
      st.lists(
        st.sampled_from([STATED, NEW, '', ' ', '- ', 'Foo', 'x' * 90])
        | st.text('ab -', max_size=4),
        max_size=5,
      ).map('\n'.join),
      st.booleans(),
    ),
    max_size=4,
  )
)
def test_kept_and_dropped_add_up_to_all_lines(answered):
  renamed = [
    (plan.Request(f'{r.name}/{i}', r.kind, r.parent, r.prompt), text, ended)
    for i, (r, text, ended) in enumerate(answered)
  ]
  found = parsed(*renamed)
  assert len(found.documents) + sum(found.dropped.values()) == found.lines
  assert found.lines == sum(
    text.strip('\n').count('\n') + 1 for _, text, _ in answered
  )
  texts = [parse.normalised(d.text) for d in found.documents]
  assert len(set(texts)) == len(texts)
  assert all(texts)
  assert len({d.id for d in found.documents}) == len(texts)


@pytest.mark.parametrize(
  ('text', 'ended', 'kept', 'dropped'),
  [
    (NEW, True, [NEW], {}),
    (f'- {NEW}\n-{STATED}', True, [NEW, STATED], {}),
    (f' - {NEW} \n\n', True, [NEW], {}),
    ('-5 is cold.\n- -.5 too.', True, ['-5 is cold.', '-.5 too.'], {}),
    ('- 5 is not.\n-...', True, ['5 is not.', '...'], {}),
    ('', True, [], {'empty': 1}),
    (f'\n{NEW}\n\n- \n{STATED}\n', True, [NEW, STATED], {'empty': 2}),
    (f'{NEW}\n{STATED[:-3]}', False, [NEW], {'unfinished': 1}),
    (f'{NEW}\n{STATED}\n', False, [NEW, STATED], {}),
    (f'{NEW}\n- {NEW}', True, [NEW], {'duplicate': 1}),
    (f'{NEW}\n{NEW.upper()[:-1]} ', True, [NEW], {'duplicate': 1}),
    (CORPUS.documents[3].text, True, [], {'given': 1}),
    (f'- {CORPUS.documents[0].text.lower()}', True, [], {'given': 1}),
    (f'{NEW}\n{"x" * 81}', True, [NEW], {'long': 1}),
    (
      f'{NEW}\n\n{NEW}\nx',
      False,
      [NEW],
      {'duplicate': 1, 'empty': 1, 'unfinished': 1},
    ),
  ],
)
def test_lines_are_dropped_for_a_reason(text, ended, kept, dropped):
  found = parsed((REQUEST, text, ended))
  assert [d.text for d in found.documents] == kept
  assert found.dropped == dropped


def test_a_line_of_an_earlier_completion_is_a_duplicate():
  found = parsed((REQUEST, NEW, True), (OTHER, f'{STATED}\n{NEW}', True))
  assert [d.text for d in found.documents] == [NEW, STATED]
  assert found.dropped == {'duplicate': 1}


@pytest.mark.parametrize(
  ('text', 'facts', 'verdict', 'hops'),
  [
    (STATED, (GIVEN,), 'stated', '0'),
    (NEW, (ENTAILED,), 'entailed', '1'),
    (WRONG, (reversal.contradict(GIVEN),), 'contradicted', '0'),
    ('Glon likes troff.', (), 'unparsed', '0'),
  ],
)
def test_documents_record_their_origin(text, facts, verdict, hops):
  found = parsed((REQUEST, 'Foo.', True), (OTHER, f'Bar.\n{text}', True))
  document = found.documents[-1]
  assert (document.id, document.text) == ('global/fact-0001-00/1/1', text)
  assert document.facts == facts
  assert document.prompt_length == 0
  assert document.origin.kind == 'global'
  assert document.origin.parents == ('fact-0001-00',)
  assert dict(document.origin.details) == {
    'model': 'nano',
    'seed': '7',
    'prompt': plan.prompt_hash('global', wording='terse'),
    'request': OTHER.name,
    'verdict': verdict,
    'hops': hops,
  }


@pytest.mark.parametrize(
  ('text', 'warning'),
  [
    (NEW, None),
    (f'Foo\n{NEW}', None),
    ('', '0 of 1 sampled lines were kept; dropped: 1 empty; check'),
    (
      f'Foo\n\n{CORPUS.documents[0].text}',
      "1 of 3 .* dropped: 1 empty, 1 given; none was parsed, .* 'Foo'; check",
    ),
  ],
)
def test_a_warning_says_what_came_out_if_nothing_was_parsed(text, warning):
  found = parse.warning(parsed((REQUEST, text, True)), given=CORPUS.documents)
  if warning is None:
    assert not found
  else:
    assert re.match(f'warning: {warning}', found)
    assert '\n' not in found


def test_documents_that_state_no_facts_need_not_be_parsed():
  given = [dataclasses.replace(d, facts=()) for d in CORPUS.documents]
  assert not parse.warning(parsed((REQUEST, 'Foo', True)), given=given)
  assert parse.warning(parsed((REQUEST, '', True)), given=given)
