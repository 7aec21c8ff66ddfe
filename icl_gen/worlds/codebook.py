"""Codebooks: each book encodes the same words; some codes are never decoded.

Entities x relations x directions, like the reversals from scratch of "Latent
learning" (arXiv 2509.16189). Each book assigns every word a code. Documents
state most entries in both directions ('troff is called yomp', 'yomp means
troff') but the latent entries only in the first, and the questions ask for the
second. That codes can be decoded has to be learned from the other entries. All
books share the same words and the same codes, so a word without its book does
not determine its code.
"""

import dataclasses
import itertools
import random
from collections.abc import Mapping

from icl_gen.text import codebooks, lexicon, sentences
from icl_gen.text.forms.statements import PREAMBLES
from icl_gen.types import Corpus, Document, Fact, Question, World
from icl_gen.worlds import balance, corpora, logic, sizes
from icl_gen.worlds.definition import Definition, Excluded

WRONG = 3
KINDS = ('forward', 'reversal_seen', 'reversal')
OPTIONS = {'forms': 'seen'}


def build(
  *,
  seed: str,
  words: int,
  books: int,
  held_out: int,
  documents_per_fact: int,
  forms: str = 'seen',
) -> tuple[World, Corpus]:
  """Draws the world and writes its documents and questions.

  'forward' and 'reversal' questions ask about the latent entries, each in one
  direction; 'reversal_seen' asks about as many of the others (or all of them,
  if there are fewer), with a preamble that no document about the entry has.
  Wrong choices come from entries of the same book that are stated in the same
  directions.

  Args:
    seed: name of the random draw; the same name gives the same bytes.
    words: number of words in each book, and of codes.
    books: number of books; each assigns the codes differently.
    held_out: number of latent entries in each book.
    documents_per_fact: documents that state a fact, each with another preamble.
    forms: the part of the tables that wordings are drawn from, one of
      `forms.split.PARTS`.

  Raises:
    ValueError: a size is not positive, the forms are unknown, or there are too
      few entries for the wrong choices, too few preambles, or too few nonsense
      words.
  """
  sizes.require_forms('codebook', forms)
  _check(words, books, held_out, documents_per_fact)
  shelf = _shelf(words, books, held_out, seed=seed)
  given = [fact for book in shelf for fact in book.stated]
  questions = []
  for kind in KINDS:
    asked = [(book, word) for book in shelf for word in book.asked(kind)]
    questions += [
      _question(kind, book, word, index=i, forms=forms, seed=seed)
      for i, (book, word) in enumerate(asked)
    ]
  corpus = corpora.corpus(
    'codebook',
    [
      document
      for i, fact in enumerate(given)
      for document in _documents(
        fact, i, documents_per_fact, forms=forms, seed=seed
      )
    ],
    questions,
    world='codebook',
    seed=seed,
    sizes={
      'words': words,
      'books': books,
      'held_out': held_out,
      'documents_per_fact': documents_per_fact,
      **sizes.options(OPTIONS, forms=forms),
    },
  )
  return _world(given, shelf), corpus


@dataclasses.dataclass(frozen=True)
class _Book:
  """A book and its entries.

  Attributes:
    title: the book's name.
    codes: word -> code.
    latent: the words whose codes are never decoded in a document.
    seen: the other words.
  """

  title: str
  codes: Mapping[str, str]
  latent: tuple[str, ...]
  seen: tuple[str, ...]

  def forward(self, word: str) -> Fact:
    """The entry of a word, starting from the word."""
    return Fact(word, codebooks.calls(self.title), self.codes[word])

  @property
  def stated(self) -> list[Fact]:
    """All facts that documents state about the book."""
    forward = [self.forward(word) for word in self.codes]
    return forward + [
      codebooks.reverse(self.forward(word)) for word in self.seen
    ]

  def alike(self, kind: str) -> tuple[str, ...]:
    """The words that questions of the kind choose from."""
    return self.seen if kind == 'reversal_seen' else self.latent

  def asked(self, kind: str) -> tuple[str, ...]:
    """The words that questions of the kind are about."""
    return self.alike(kind)[: len(self.latent)]


def _check(
  words: int, books: int, held_out: int, documents_per_fact: int
) -> None:
  sizes.require_positive('codebook', words=words, books=books)
  least = WRONG + 1
  if held_out < least or words - held_out < least:
    raise ValueError(
      f'codebook with words={words} and held_out={held_out} has too few entries'
      f' for questions with {least} choices; hold out {least} or more, and'
      f' leave {least} or more'
    )
  sizes.require_between(
    'codebook',
    least=1,
    most=len(PREAMBLES.seen) - 1,
    why=f'the question about a fact needs one of the {len(PREAMBLES.seen)}'
    ' preambles that no document about it has',
    documents_per_fact=documents_per_fact,
  )


def _shelf(words: int, books: int, held_out: int, *, seed: str) -> list[_Book]:
  drawn = iter(lexicon.sample(2 * words + books, seed=f'{seed}/words'))
  plain, codes, titles = (
    list(itertools.islice(drawn, count)) for count in (words, words, books)
  )
  shelf = []
  for i, title in enumerate(titles):
    shuffled = random.Random(f'{seed}/codes/{i}').sample(codes, words)
    # Words take turns, so that all are held out about equally often. Otherwise
    # the frequency of a word after 'means' would hint at the answer.
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


def _preambles(fact: Fact, *, forms: str, seed: str) -> list[str]:
  """Shuffles the preambles: documents take the first ones, the question the
  last."""
  name = f'{seed}/preambles/{fact.relation}/{fact.subject}'
  table = PREAMBLES[forms]
  return random.Random(name).sample(table, len(table))


def _documents(
  fact: Fact, i: int, count: int, *, forms: str, seed: str
) -> list[Document]:
  said = codebooks.said(fact, part=forms)
  preambles = _preambles(fact, forms=forms, seed=seed)
  return [
    Document(f'fact-{i:04d}-{j:02d}', f'{preamble} {said}.', (fact,))
    for j, preamble in enumerate(preambles[:count])
  ]


def _question(
  kind: str, book: _Book, word: str, *, index: int, forms: str, seed: str
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
  preamble = _preambles(target, forms=forms, seed=seed)[-1]
  opening = codebooks.said(target, part=forms).removesuffix(f' {target.object}')
  return Question(
    id=name,
    prompt=f'{preamble} {opening}',
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


def _excluder(world: World) -> Excluded:
  """In a book each word has one code, and each code one word."""
  objects = {
    (fact.subject, fact.relation): fact.object
    for fact in logic.true_facts(world)
  }

  def other(fact: Fact) -> bool:
    known = objects.get((fact.subject, fact.relation))
    return known not in (None, fact.object)

  return lambda fact: other(fact) or other(codebooks.reverse(fact))


DEFINITION = Definition(
  about=__doc__,
  build=build,
  sizes={
    'paper': {
      'words': 40,
      'books': 20,
      'held_out': 10,
      'documents_per_fact': 5,
    },
    'nano': {'words': 10, 'books': 6, 'held_out': 4, 'documents_per_fact': 5},
  },
  reader=lambda world: sentences.reader(codebooks.read),
  said=codebooks.said,
  stated=frozenset({'forward', 'reversal_seen'}),
  excluder=_excluder,
)
