"""Codebooks: every word has a code in every book; some are never read back.

Entities x relations x directions, as the reversals from scratch of "Latent
learning" (arXiv 2509.16189). A book calls a word by a code. Most entries are
told in both directions ('troff is called yomp', 'yomp means troff'), the
latent ones in the first alone, and the questions ask for the second. That codes
can be read back is to be learned from the other entries. The books share their
words and their codes, so that without the book no word tells its code.
"""

import dataclasses
import itertools
import random
from collections.abc import Mapping

from icl_gen.text import codebooks, lexicon, preambles
from icl_gen.types import Corpus, Document, Fact, Question, World
from icl_gen.worlds import balance, corpora, logic

WRONG = 3
KINDS = ('forward', 'reversal_seen', 'reversal')


def build(
  *,
  seed: str,
  words: int = 40,
  books: int = 20,
  held_out: int = 10,
  documents_per_fact: int = 5,
) -> tuple[World, Corpus]:
  """Draws the world and renders it.

  'forward' and 'reversal' ask about the latent entries, in either direction;
  'reversal_seen' about as many of the others (or all, if they are fewer), in
  words that no document has. Wrong choices come from entries of the same book
  that are told in the same directions.

  Args:
    seed: name of the draw; the same name gives the same bytes.
    words: words in each book, and as many codes.
    books: books, each with codes of its own for the words.
    held_out: latent entries of each book.
    documents_per_fact: documents that say a fact, each with another preamble.

  Raises:
    ValueError: if there is nothing to build, too few entries for the wrong
      choices, too few preambles, or too few nonsense words.
  """
  _check(words, books, held_out, documents_per_fact)
  shelf = _shelf(words, books, held_out, seed=seed)
  given = [fact for book in shelf for fact in book.told]
  questions = []
  for kind in KINDS:
    asked = [(book, word) for book in shelf for word in book.asked(kind)]
    questions += [
      _question(kind, book, word, index=i, seed=seed)
      for i, (book, word) in enumerate(asked)
    ]
  corpus = corpora.corpus(
    'codebook',
    [
      document
      for i, fact in enumerate(given)
      for document in _documents(fact, i, documents_per_fact, seed=seed)
    ],
    questions,
    world='codebook',
    seed=seed,
    sizes={
      'words': words,
      'books': books,
      'held_out': held_out,
      'documents_per_fact': documents_per_fact,
    },
  )
  return _world(given, shelf), corpus


@dataclasses.dataclass(frozen=True)
class _Book:
  """A book and what is told of it.

  Attributes:
    title: the book's name.
    codes: word -> code.
    latent: the words of which the reversal is held out.
    seen: the others.
  """

  title: str
  codes: Mapping[str, str]
  latent: tuple[str, ...]
  seen: tuple[str, ...]

  def forward(self, word: str) -> Fact:
    """The entry, from the word."""
    return Fact(word, codebooks.calls(self.title), self.codes[word])

  @property
  def told(self) -> list[Fact]:
    """All that documents say of the book."""
    forward = [self.forward(word) for word in self.codes]
    return forward + [
      codebooks.reverse(self.forward(word)) for word in self.seen
    ]

  def alike(self, kind: str) -> tuple[str, ...]:
    """The words that a question of the kind is about, or chooses from."""
    return self.seen if kind == 'reversal_seen' else self.latent

  def asked(self, kind: str) -> tuple[str, ...]:
    """The words that questions of the kind are about."""
    return self.alike(kind)[: len(self.latent)]


def _check(words, books, held_out, documents_per_fact) -> None:
  for name, given in (('words', words), ('books', books)):
    if given < 1:
      raise ValueError(
        f'empty world: codebook with {name}={given}; give 1 or more'
      )
  least = WRONG + 1
  if held_out < least or words - held_out < least:
    raise ValueError(
      f'codebook with words={words} and held_out={held_out} has too few entries'
      f' for {least} choices out of one group; hold out {least} or more, and'
      f' leave {least} or more'
    )
  most = len(preambles.PREAMBLES) - 1
  if not 1 <= documents_per_fact <= most:
    raise ValueError(
      f'codebook with documents_per_fact={documents_per_fact}; allowed is 1 to'
      f' {most}: the questions need an unused one of {most + 1} preambles'
    )


def _shelf(words: int, books: int, held_out: int, *, seed: str) -> list[_Book]:
  drawn = iter(lexicon.sample(2 * words + books, seed=f'{seed}/words'))
  plain, codes, titles = (
    list(itertools.islice(drawn, count)) for count in (words, words, books)
  )
  shelf = []
  for i, title in enumerate(titles):
    shuffled = random.Random(f'{seed}/codes/{i}').sample(codes, words)
    # In turn, so that no word is held out more often than another: how often
    # a word is what a code means does not tell.
    latent = [plain[(i * held_out + k) % words] for k in range(held_out)]
    shelf.append(
      _Book(
        title=title,
        codes=dict(zip(plain, shuffled, strict=True)),
        latent=tuple(latent),
        seen=tuple(word for word in plain if word not in latent),
      )
    )
  return shelf


def _preambles(fact: Fact, *, seed: str) -> list[str]:
  """Documents use them from the first; a question uses the last."""
  name = f'{seed}/preambles/{fact.relation}/{fact.subject}'
  count = len(preambles.PREAMBLES)
  return random.Random(name).sample(preambles.PREAMBLES, count)


def _documents(fact: Fact, i: int, count: int, *, seed: str) -> list[Document]:
  return [
    Document(
      f'fact-{i:04d}-{j:02d}', f'{preamble} {codebooks.said(fact)}.', (fact,)
    )
    for j, preamble in enumerate(_preambles(fact, seed=seed)[:count])
  ]


def _question(
  kind: str, book: _Book, word: str, *, index: int, seed: str
) -> Question:
  forward = book.forward(word)
  target = forward if kind == 'forward' else codebooks.reverse(forward)
  name = f'{kind}-{index:04d}'
  others = [other for other in book.alike(kind) if other != word]
  wrong = random.Random(f'{seed}/wrong/{name}').sample(others, WRONG)
  if kind == 'forward':
    wrong = [book.codes[other] for other in wrong]
  choices, answers = balance.arrange(
    [f' {target.object}.'],
    [f' {other}.' for other in wrong],
    index=index,
    seed=f'{seed}/{kind}',
  )
  preamble = _preambles(target, seed=seed)[-1]
  told = codebooks.said(target).removesuffix(f' {target.object}')
  return Question(
    id=name,
    prompt=f'{preamble} {told}',
    choices=choices,
    answers=answers,
    kind=kind,
    premises=(target if kind == 'reversal_seen' else forward,),
    target=target,
  )


def _world(given: list[Fact], shelf: list[_Book]) -> World:
  rules = [
    rule
    for book in shelf
    for rule in logic.inverse(
      codebooks.calls(book.title), codebooks.means(book.title)
    )
  ]
  swapped = [
    Fact(word, codebooks.calls(book.title), code)
    for book in shelf
    for word, code in itertools.product(book.codes, book.codes.values())
    if code != book.codes[word]
  ]
  return World(
    name='codebook',
    facts=tuple(given),
    entailed=logic.closure(given, rules),
    contradicted=frozenset(
      fact for wrong in swapped for fact in (wrong, codebooks.reverse(wrong))
    ),
  )
