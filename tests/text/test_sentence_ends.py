"""Sentences end where a reader sees their end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icl_gen.text import sentence_ends


def split(text):
  gaps = list(sentence_ends.gaps(text))
  starts = [0, *(start for _, start in gaps)]
  ends = [*(end for end, _ in gaps), len(text)]
  return [text[a:b] for a, b in zip(starts, ends, strict=True)]


@pytest.mark.parametrize(
  'said',
  [
    'A b.| c d!| E?',
    'Dr. Brekke met Mr. Smith, e.g. in Oslo.| He left.',
    'J. R. R. Tolkien wrote it.| So did I.| He too.',
    'He lived in the U.S. Embassy.| It was in the U.S.| They left.',
    'At 3 p.m. on Friday it rained.| It stopped at 5 p.m.| We left.',
    'See Fig. 3 and No. 7 on pp. 3 ff. of it.| No.| He said no.',
    'It cost 3.50 ... or so.| Wait...| What?',
    'Odd, Ilse etc. built it.| Odd et al. (1820) did, etc.| We know.',
    'Brekke Jr.\n\n|Dr. Smith',
    'He said "It is old."| She left.| "Who?" asked he.| (It was late.)| Yes.',
    'It is **old.**| It stands.[^1]| It grinds.[2]| It is.',
    '1. First is this.| It is.\n|2. Second.\n|3. Third.',
    'In the year 1820.| It was.',
    '磨坊是奥德建造的。|它磨大麦！|谁？',
    '水車は古い。|「誰が建てた？」と聞いた。|答えはない。',
    'بنى أود الجسر؟| لا أحد.',
    'यह चक्की है।| यह जौ है।',
    'Odd built the mill\n|Ilse built the bridge there\n|Una built the inn',
    'Odd Brekke built\nthe mill; then Ilse\nbuilt it anew',
    '# The mill\n|It was built by Odd Brekke.| It is old.',
    'Some of them:\n- The mill\n- The bridge of Tarnby',
  ],
)
def test_a_bar_is_where_one_ends(said):
  parts = [part.strip() for part in said.split('|')]
  assert split(said.replace('|', '')) == parts


@given(st.text('aB1.?!" \n(。」'))
def test_sentences_add_up_to_the_text(text):
  places = [place for gap in sentence_ends.gaps(text) for place in gap]
  assert places == sorted(places)
  assert all(
    not text[end:start].strip() and text[:end].strip() and text[start:].strip()
    for end, start in sentence_ends.gaps(text)
  )
