"""What was recalled is read as it was written, or not at all."""

import pytest

from icl_gen.storage import recollections
from icl_gen.types import Document, Origin


def recalled(cue, text, verdict='unparsed', hops='0'):
  details = ('hops', hops), ('verdict', verdict)
  return Document(text, text, origin=Origin('recalled', (cue,), details))


FOUND = {
  'q': [
    recalled('Glon', 'Glon are red.', 'entailed', '2'),
    recalled('Troff', 'Troff \u2028</script> are\x0b\x85 "blue".'),
  ],
  'r': [],
  's': [recalled('Glon', 'Glon are red.', 'stated')],
}


def content(found):
  return {
    question: [(one.text, one.origin) for one in documents]
    for question, documents in found.items()
  }


def test_what_was_written_is_read(tmp_path):
  recollections.write(tmp_path, FOUND)
  found = recollections.read(tmp_path, questions=FOUND)
  assert content(found) == content(FOUND)
  ids = [one.id for documents in found.values() for one in documents]
  assert len(set(ids)) == 3


def test_a_missing_file_is_an_error(tmp_path):
  with pytest.raises(ValueError, match=r'recalled.jsonl is missing.*evaluate'):
    recollections.read(tmp_path, questions=FOUND)


def test_every_scored_question_must_be_there(tmp_path):
  recollections.write(tmp_path, FOUND)
  recollections.read(tmp_path, questions=['q'])
  with pytest.raises(ValueError, match='of 2 questions .* all but 1; delete'):
    recollections.read(tmp_path, questions=['q', 'other'])


@pytest.mark.parametrize('place', [2, -2, -1])
def test_a_changed_byte_is_an_error(tmp_path, place, caplog):
  recollections.write(tmp_path, FOUND)
  path = tmp_path / recollections.NAME
  content = bytearray(path.read_bytes())
  content[place] ^= 1
  path.write_bytes(content)
  with pytest.raises(ValueError, match=r'recalled.jsonl is damaged: .*delete'):
    recollections.read(tmp_path, questions=['r'])
  assert not caplog.records  # the error says it all
