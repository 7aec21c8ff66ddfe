"""Folders of documents and questions that are hostile."""

import json
import os
import shutil

from icl_gen.storage import corpus_files
from icl_gen.text import tokens
from tests.chaos import hostile, judge
from tests.chaos.reference import TOKENIZER
from tests.chaos.stages import COMMANDS, ROOT

_EXAMPLE = ROOT / 'configs/custom_example'
_SETTINGS = ROOT / 'tests/chaos/settings.py'
_CONFIG = f'--config={ROOT}/configs/custom.py:tiny'
_SECRET = 'what-nobody-may-read'
_LIMIT, _MEMORY = 60, 8 * 2**30


def play(this):
  """Builds a corpus from a hostile folder.

  It is refused, and the example is built in its place; or it is built twice
  with the same bytes, and what is in it comes from the folder. A study of it,
  or a training that replays it, works or refuses as well.
  """
  rng = this.rng
  outside = this.folder / 'outside'
  (outside / 'inner').mkdir(parents=True)
  (outside / 'secret.txt').write_text(_SECRET)
  (outside / 'inner' / 'secret.md').write_text(_SECRET)
  folder = this.folder / 'mine'
  _make(this, folder, outside)
  audit = ['--audit'] if rng.random() < 0.3 else []
  workdirs = [this.folder / 'out' / name for name in ('one', 'two')]
  ended = _build(this, folder, workdirs[0], audit)
  if rng.random() < 0.4:
    _study(this, folder, refuses=ended.code != 0 and not audit)
  if rng.random() < 0.15:
    _replay(this, folder)
  if judge.ended(ended) == judge.REFUSED:
    this.refused = True
    if _corpus(workdirs[0]).exists():
      raise judge.Failure('it refused, but there is a corpus')
    again = _build(this, _EXAMPLE, workdirs[0], audit)
    if judge.ended(again) != judge.IDENTICAL:
      raise judge.Failure('the example cannot be built in its place')
    return
  again = _build(this, folder, workdirs[1], audit)
  if judge.ended(again) != judge.IDENTICAL:
    raise judge.Failure('it is refused the second time')
  contents = [_contents(_corpus(workdir)) for workdir in workdirs]
  if contents[0] != contents[1]:
    raise judge.Failure('two builds differ')
  if any(_SECRET.encode() in content for content in contents[0].values()):
    raise judge.Failure('a file from outside of the folder is in the corpus')
  _check_tokens(corpus_files.read(_corpus(workdirs[0])))
  for door, more in (('export', ['--to=hf']), ('evaluate', _PRETRAINED)):
    if rng.random() < 0.25:
      flags = [*_flags(folder, workdirs[0]), *this.model, *more]
      ended = this.call(door, *flags, limit=_LIMIT)
      this.refused |= judge.ended(ended) == judge.REFUSED


_CONDITIONS = ("('ft_aug',)", "('pretrained', 'icl')", "('pretrained', 'ft')")
_PRETRAINED = ['--config.condition=pretrained']


def _flags(folder, workdir):
  return [_CONFIG, f'--config.size.path={folder}', f'--workdir={workdir}']


def _build(this, folder, workdir, more):
  return this.call('build', *_flags(folder, workdir), *more, limit=_LIMIT)


def _study(this, folder, *, refuses):
  """Gives the folder to a study, or has questions proposed about it."""
  flags = [
    f'--config={_SETTINGS}:own',
    f'--config.conditions={this.rng.choice(_CONDITIONS)}',
    f'--documents={folder}',
    f'--workdir={this.folder / "out"}',
    *this.model,
  ]
  proposes = this.rng.random() < 0.25
  more = ['--propose_questions'] if proposes else []
  worked = _try(this, 'study', *flags, *more)
  if worked and refuses:
    raise judge.Failure('build refuses what the study takes')
  proposed = this.folder / 'out/own/proposed_questions.jsonl'
  if worked and proposes != proposed.is_file():
    raise judge.Failure(f'{proposed} is there, or not, against the flag')
  if worked and not proposes and not _try(this, 'study', *flags, '--verify'):
    raise judge.Failure('the study is finished, but not whole')


def _replay(this, folder):
  """Trains with the texts of the folder among others."""
  this.copy('finished')
  COMMANDS['train ft'].undo(this.root)
  share = '--config.train.replay_share=0.3'
  flags = this.flags('train ft')
  _try(this, 'train', *flags, f'--config.train.replay={folder}', share)


def _try(this, door, *flags):
  """Returns whether a command worked; it may take too long if it says so."""
  ended = this.call(door, *flags, limit=_LIMIT, memory=_MEMORY)
  if ended.late and ended.stdout:
    return False
  refused = judge.ended(ended) == judge.REFUSED
  this.refused |= refused
  return not refused


def _corpus(workdir):
  return workdir / 'corpora' / 'custom-s0'


def _contents(directory):
  return {path.name: path.read_bytes() for path in directory.iterdir()}


def _check_tokens(corpus):
  """Raises Failure if a text became a token that only our own code writes."""
  nano = tokens.load(TOKENIZER)
  control = {nano.pad_id, nano.bos_id, nano.eos_id}
  texts = [document.text for document in corpus.documents]
  texts += [q.prompt for q in corpus.questions]
  for text in texts:
    if control & set(nano.encode(text)):
      raise judge.Failure(f'a text has control tokens: {text[:80]!r}')


# --- folders -----------------------------------------------------------------


def _make(this, folder, outside):
  rng = this.rng
  shutil.copytree(_EXAMPLE, folder)
  if rng.random() < 0.35:  # texts in place of lines
    (folder / 'documents.jsonl').unlink()
    (folder / 'inner').mkdir()
    for name in ('a.txt', 'b.md', 'inner/c.TXT'):
      (folder / name).write_text(f'The {name} of Tarnby is old.')
  for _ in range(rng.choice((1, 1, 2, 3))):
    change = rng.choice(_CHANGES)
    this.say(
      f'folder: {change.__name__.strip("_")}: {change(rng, folder, outside)}'
    )


def _lines_of(rng, folder):
  names = ['questions.jsonl', 'documents.jsonl']
  path = folder / rng.choice(
    [n for n in names if (folder / n).is_file()] or names
  )
  lines = path.read_bytes().split(b'\n') if path.is_file() else []
  return path, lines


def _write(path, content):
  """Writes a file, unless it is a pipe by now, which would wait for readers."""
  if path.is_file() or not path.exists():
    path.write_bytes(content)


def _put(rng, folder, line):
  path, lines = _lines_of(rng, folder)
  if path.parent.is_dir() and not path.is_dir():
    lines.insert(rng.randrange(len(lines) + 1), line)
    _write(path, b'\n'.join(lines))
  return f'{path.name}: {line[:200]!r}'


def _line(rng, folder, outside):
  return _put(rng, folder, rng.choice(hostile.LINES))


def _document(rng, folder, outside):
  row = {
    'id': rng.choice(['new', *hostile.TEXTS]),
    'text': rng.choice(hostile.TEXTS),
  }
  if rng.random() < 0.3:
    row['prompt_length'] = rng.choice(hostile.ANSWERS)
  return _put(rng, folder, json.dumps(row).encode())


def _question(rng, folder, outside):
  row = {
    'prompt': rng.choice(hostile.TEXTS),
    'choices': ['a', 'b'],
    'answer': 0,
    'kind': 'reversal',
  }
  for key, values in (
    ('choices', hostile.CHOICES),
    ('answer', hostile.ANSWERS),
    ('kind', hostile.KINDS),
    ('stratum', hostile.KINDS),
    ('id', hostile.TEXTS),
  ):
    if rng.random() < 0.35:
      row[key] = rng.choice(values)
  return _put(rng, folder, json.dumps(row).encode())


def _bytes(rng, folder, outside):
  path, lines = _lines_of(rng, folder)
  content = bytearray(b'\n'.join(lines))
  for _ in range(rng.randrange(1, 4)):
    if content and path.is_file():
      content[rng.randrange(len(content))] = rng.randrange(256)
      path.write_bytes(content)
  return path.name


def _text(rng, folder, outside):
  name = rng.choice(
    ('x.txt', 'Ü😀.md', '.hidden.txt', '-x.txt', 'a\nb.txt', '=x.md')
  )
  if rng.random() < 0.2:
    name = os.fsdecode(b'\xff\xfe.txt')
  content = rng.choice(hostile.TEXTS).encode('utf-8', 'surrogatepass')
  _write(folder / name, content)
  return f'{name!r}: {content[:100]!r}'


def _special(rng, folder, outside):
  name = rng.choice(
    ('documents.jsonl', 'questions.jsonl', 'x.txt', 'd.md', 'inner2')
  )
  path = folder / name
  if path.is_dir() and not path.is_symlink():
    shutil.rmtree(path)
  else:
    path.unlink(missing_ok=True)
  kind, target = rng.choice(
    (
      ('link', outside / 'secret.txt'),
      ('link', outside / 'inner'),
      ('link', outside),
      ('link', folder),
      ('link', path),
      ('link', folder / 'nothing'),
      ('link', '/dev/zero'),
      ('link', '/dev/null'),
      ('link', folder / 'README.md'),
      ('fifo', None),
      ('directory', None),
    )
  )
  if kind == 'link':
    path.symlink_to(target)
  elif kind == 'fifo':
    os.mkfifo(path)
  else:
    path.mkdir()
  return f'{name}: {kind} {target}'


def _gone(rng, folder, outside):
  path, _ = _lines_of(rng, folder)
  path.unlink(missing_ok=True)
  return path.name


_CHANGES = (_line, _line, _document, _document, _question, _question, _question)
_CHANGES += (_bytes, _text, _text, _special, _special, _special, _gone)
