"""Turns completions into documents, one per line, each with its verdict.

Every line of every completion is either kept or dropped for a reason, and the
counts add up.
"""

import collections
import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence

from icl_gen.augmentation import plan
from icl_gen.augmentation.audit import Auditor
from icl_gen.augmentation.plan import Request
from icl_gen.text import prompts
from icl_gen.text.sentences import Reader
from icl_gen.types import Document, Origin

# With or without a space after it; but '-5 degrees' has the sign of a number.
_BULLET = re.compile(rf'^{re.escape(prompts.BULLET.strip())}(?!\.?\d)\s*')


@dataclasses.dataclass(frozen=True)
class Parsed:
  """The documents of some completions.

  Attributes:
    documents: one for each kept line.
    dropped: number of dropped lines by reason: 'empty', 'unfinished' (the token
      limit cut the completion), 'long' (it does not fit into a training row),
      'duplicate' (of an earlier line) or 'given' (it repeats a document of the
      corpus).
    lines: total number of lines, kept and dropped.
    before: id of a document -> what the model had read and written before it,
      from the prompt on, without a context.
  """

  documents: tuple[Document, ...]
  dropped: Mapping[str, int]
  lines: int
  before: Mapping[str, str]


def parse(
  answered: Sequence[tuple[Request, str, bool]],
  *,
  given: Sequence[Document],
  read: Reader,
  judge: Auditor,
  fits: Callable[[str], bool],
  details: Mapping[str, str],
) -> Parsed:
  """Turns the lines of completions into documents, in the same order.

  Args:
    answered: triples of a request, its completion, and whether the model ended
      the completion (rather than the token limit).
    given: the documents of the corpus.
    read: reads the facts of a text, or returns None; see `text.sentences`.
    judge: judges facts; see `audit.auditor`.
    fits: whether a text fits into a training row.
    details: provenance of all documents (model, seed, ...).
  """
  seen = {normalised(document.text): 'given' for document in given}
  documents: list[Document] = []
  before: dict[str, str] = {}
  dropped: collections.Counter[str] = collections.Counter()
  lines = 0
  for request, text, ended in answered:
    said = text.strip('\n').split('\n')
    start = len(text) - len(text.lstrip('\n'))
    for i, written in enumerate(said):
      lines += 1
      end = start + len(written.rstrip())
      start += len(written) + 1
      line = _BULLET.sub('', written.strip())
      cut = i == len(said) - 1 and not (ended or text.endswith('\n'))
      reason = 'empty' if not line else 'unfinished' if cut else ''
      reason = reason or seen.get(normalised(line), '')
      reason = reason or ('' if fits(line) else 'long')
      if reason:
        dropped[reason] += 1
        continue
      seen[normalised(line)] = 'duplicate'
      name = f'{request.name}/{i}'
      documents.append(_document(name, line, request, read, judge, details))
      before[name] = request.prompt + text[: end - len(line)]
  assert len(documents) + dropped.total() == lines
  return Parsed(tuple(documents), dict(sorted(dropped.items())), lines, before)


def warning(parsed: Parsed, *, given: Sequence[Document]) -> str:
  """Says what came out if no line was kept or parsed; '' if one was.

  Args:
    parsed: the documents of all completions.
    given: the documents of the corpus. If they state no facts, as those of a
      custom world, there is nothing to parse, and a kept line is enough.
  """
  kept = parsed.documents
  if any(d.facts for d in kept) or kept and not any(d.facts for d in given):
    return ''
  dropped = ', '.join(f'{n} {why}' for why, n in parsed.dropped.items())
  words = [f'warning: {len(kept)} of {parsed.lines} sampled lines were kept']
  if dropped:
    words.append(f'dropped: {dropped}')
  if kept:
    words.append(f'none was parsed, the first is {kept[0].text!r}')
  return '; '.join([*words, 'check the model before training on them'])


def normalised(text: str) -> str:
  """Returns a text to compare by, without case, spacing and end punctuation."""
  return ' '.join(text.lower().split()).rstrip('.!')


def _document(
  name: str,
  line: str,
  request: Request,
  read: Reader,
  judge: Auditor,
  details: Mapping[str, str],
) -> Document:
  facts = read(line)
  verdict = judge(facts)
  return Document(
    id=name,
    text=line,
    facts=facts or (),
    origin=Origin(
      kind=request.kind,
      parents=(request.parent,),
      details=(
        *details.items(),
        ('prompt', plan.prompt_hash(request.kind, wording=request.wording)),
        ('request', request.name),
        ('verdict', verdict.label),
        ('hops', str(verdict.hops)),
      ),
    ),
  )
