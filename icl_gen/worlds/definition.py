"""The record that defines a world: how it is built, read back and checked."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from icl_gen.text import sentences
from icl_gen.types import Corpus, Document, Fact, World

_IN_TEST_FORMS = """All is said in forms that are held out of pretraining."""
_IN_PLAIN_NAMES = """People have plain names instead of nonsense."""

Size = Mapping[str, Any]  # arguments of `build`
Builder = Callable[..., tuple[World, Corpus]]
Excluded = Callable[[Fact], bool]


def _reads_nothing(world: World) -> sentences.Reader:
  """For worlds whose sentences can say anything."""
  del world
  return lambda text: None


def _excludes_nothing(world: World) -> Excluded:
  """For worlds that list all their contradictions."""
  del world
  return lambda fact: False


def _plainly(fact: Fact) -> str:
  """For worlds whose relations are verbs."""
  return f'{fact.subject} {fact.relation} {fact.object}'


@dataclasses.dataclass(frozen=True)
class Wording:
  """How a world states a single fact, in texts that a model could have written.

  Attributes:
    plain: returns the texts that state a fact as inferences are written.
    other: returns the texts that state it in other words than documents do.
    bare: returns its statements without what opens a text, the plain one first.
    openings: returns what opens a document, as it opens a text with this fact:
      one or more openings, the likest first.
    read: reads these statements, after any opening.
  """

  plain: Callable[[Fact], tuple[str, ...]]
  other: Callable[[Fact], tuple[str, ...]]
  bare: Callable[[Fact], tuple[str, ...]]
  openings: Callable[[Document, Fact], tuple[str, ...]]
  read: sentences.Reader


@dataclasses.dataclass(frozen=True)
class Definition:
  """Everything the project needs to know about one world.

  Attributes:
    about: what the world is, in Markdown; printed on data cards.
    build: called as `build(seed=..., **size)`, draws the world or reads it from
      files. The same arguments give the same world and corpus.
    sizes: the named sizes, 'paper' and 'nano' among them; empty for a world
      that is read from files.
    reader: given the world, returns the function that reads its sentences back
      into facts.
    said: renders a fact in plain words, for people who read a report.
    stated: kinds of question that ask for what a document states; the targets
      of all other kinds have to be inferred.
    repeating: kinds of question whose prompt repeats the opening of a document.
    excluder: given the world, returns whether a fact is false because something
      else is true. Needed where a subject has exactly one object, so that there
      are too many false facts for `World.contradicted` to list.
    fingerprint: the SHA-256 of every file the world is read from, by file name,
      given the `path` of its size; None for a world that is drawn.
    draws: name of the world whose draws it repeats, in other forms; '' for
      draws of its own.
    asks: given the `path` of its size, whether there are questions; None: there
      always are.
    wording: given the part of the forms' tables, how a single fact is stated;
      None for a world whose facts are not stated one by one.
  """

  about: str
  build: Builder
  sizes: Mapping[str, Size] = dataclasses.field(default_factory=dict)
  reader: Callable[[World], sentences.Reader] = _reads_nothing
  said: Callable[[Fact], str] = _plainly
  stated: frozenset[str] = frozenset()
  repeating: frozenset[str] = frozenset()
  excluder: Callable[[World], Excluded] = _excludes_nothing
  fingerprint: Callable[[str], dict[str, str]] | None = None
  draws: str = ''
  asks: Callable[[str], bool] | None = None
  wording: Callable[[str], Wording] | None = None


def in_test_forms(name: str, of: Definition) -> Definition:
  """The world that draws the same as another and says it in 'test' forms.

  Args:
    name: of the other world.
    of: its definition; `build` takes `forms`.
  """
  wording = of.wording
  return dataclasses.replace(
    _again(name, of, about=_IN_TEST_FORMS, forms='test'),
    wording=wording and (lambda forms: wording('test')),
  )


def in_plain_names(name: str, of: Definition) -> Definition:
  """The world that draws the same as another and has plain names for people.

  Args:
    name: of the other world.
    of: its definition; `build` takes `names`.
  """
  return _again(name, of, about=_IN_PLAIN_NAMES, names='plain')


def _again(name: str, of: Definition, *, about: str, **size: str) -> Definition:
  """A world that draws the same as another, with some arguments given."""
  told = functools.partial(of.build, **size)
  return dataclasses.replace(
    of,
    about=f'{of.about.strip()}\n\n{about}',
    build=functools.update_wrapper(told, of.build),
    sizes={},
    draws=name,
  )
