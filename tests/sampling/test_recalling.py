"""What is recalled begins with its cue, and is kept with its verdict."""

import pytest

from icl_gen.augmentation.audit import Verdict
from icl_gen.sampling import recalling, resumable, sampler
from icl_gen.storage import files, recollections
from icl_gen.text import context as contexts
from tests import tiny

# Cue -> how its four samples go on, and whether they end.
SAID = {
  'The femp': [
    (' is blue.', True),
    (' is red.', True),
    (' is blue.', True),
    (' is', False),
  ],
  'All glon': [(' are troff.\nNo', False)] * 4,
  'Some': [(' troff', False), (' ', True), ('times.', True), (' troff.', True)],
}
CUES = tuple(SAID)


@pytest.fixture
def recall(monkeypatch):
  """Recalls with SAID in the place of a model."""

  def sample(model, requests, context, **settings):
    assert context == contexts.NONE
    assert settings == {'seed': 's'}
    found = []
    for request in requests:
      assert request.whole
      cue, _, i = request.name.rpartition('/')
      assert request.prompt == cue
      text, ended = SAID[cue][int(i)]
      found.append(sampler.Completion(request.name, cue + text, 1, 1, ended))
    return tuple(found), {'tokens_out': len(found)}

  monkeypatch.setattr(resumable, 'sample', sample)

  def make(cues=CUES, *, agree=1):
    return recalling.sample(
      None,
      cues,
      samples=4,
      agree=agree,
      read=lambda text: None,
      judge=lambda facts: Verdict('unparsed'),
      seed='s',
    )[0]

  return make


def texts(recalled):
  return {
    cue: [document.text for document in documents]
    for cue, documents in recalled.items()
  }


def test_each_different_finished_line_is_recalled_once(recall):
  assert texts(recall()) == {
    'The femp': ['The femp is blue.', 'The femp is red.'],
    'All glon': ['All glon are troff.'],
    'Some': ['Some', 'Sometimes.', 'Some troff.'],
  }


def test_more_agreement_leaves_less(recall):
  found = [texts(recall(agree=agree)) for agree in (1, 2, 4, 5)]
  for some, fewer in zip(found, found[1:], strict=False):
    for cue in CUES:
      assert set(fewer[cue]) <= set(some[cue])
  counts = [sum(map(len, recalled.values())) for recalled in found]
  assert counts == [6, 2, 1, 0]


def test_what_is_recalled_does_not_depend_on_other_cues(recall):
  every = recall()
  for cue in CUES:
    assert recall((cue,)) == {cue: every[cue]}


def test_it_is_written_by_question_with_verdicts(recall, tmp_path):
  recalled = recall()
  by_question = recalling.by_question(recalled, {'q': CUES[:2], 'r': CUES[2:]})
  recollections.write(tmp_path, by_question)
  rows = files.read_sealed_lines(tmp_path / 'recalled.jsonl')
  assert [row['question'] for row in rows] == ['q', 'r']
  written = [one for row in rows for one in row['recalled']]
  assert [(one['cue'], one['text']) for one in written] == [
    (cue, text) for cue, those in texts(recalled).items() for text in those
  ]
  assert {one['verdict'] for one in written} == {'unparsed'}
  told = 'recalled 6 documents from 3 cues: 6 unparsed'
  assert recalling.summary(recalled) == told


def test_a_whole_text_begins_with_its_prompt():
  """And with the space between them, which some tokenizers leave out."""

  def sample(**changes):
    requests = [sampler.Request('a', 'The femp', **changes)]
    ((completion,),) = sampler.sample(
      tiny.model(), requests, None, seed='s', temperature=1.0, max_tokens=8
    )
    return completion

  rest, whole = sample(), sample(whole=True)
  assert whole.text.startswith('The femp')
  assert whole.text.removeprefix('The femp').strip() == rest.text.strip()
  assert (whole.tokens_in, whole.tokens_out) == (
    rest.tokens_in,
    rest.tokens_out,
  )
