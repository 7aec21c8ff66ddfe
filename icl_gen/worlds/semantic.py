"""Kinds: a taxonomy in nonsense words, and all that a reader can infer of it.

Every fact is told in one direction only. Asked are the facts as told, their
reversals, what follows from two premises and from more, and everything that
follows for kinds of which nothing but the kind above them is told.
"""

import collections
import dataclasses
import itertools
import math
import random
import re
from collections.abc import Mapping, Sequence

from icl_gen.types import Corpus, Document, Entailment, Fact, Question, World
from icl_gen.worlds import (
  balance,
  corpora,
  lexicon,
  logic,
  phrasings,
  taxonomy,
)
from icl_gen.worlds import semantic_text as text

KINDS = ('rephrase', 'reversal', 'syllogism', 'deduction', 'holdout')
CHOICES = 4
_PROPERTIES = ('has', 'is')


def build(
  *,
  seed: str,
  categories: int = 110,
  documents: int = 2200,
  holdouts: int = 11,
  told_backwards: float = 0.25,
  questions: int = 200,
  style: str = 'varied',
) -> tuple[World, Corpus]:
  """Draws the world and renders it.

  Args:
    seed: name of the draw; the same name gives the same bytes.
    categories: kinds of the taxonomy, of 110.
    documents: how many, at least one for every category.
    holdouts: lowest kinds of which only the parent is told.
    told_backwards: share of the facts that are told from the other side
      ('wicks are found on gruds').
    questions: at most so many of each kind but 'holdout', which asks all.
    style: 'plain' or 'varied' documents; see `semantic_text.documents`.

  Raises:
    ValueError: for sizes that are not possible, or that leave nothing to ask.
  """
  if categories < 1:
    raise ValueError(
      f'empty world: semantic with categories={categories}; give 1 to'
      f' {len(taxonomy.kinds())}'
    )
  if not 0 <= told_backwards <= 1:
    raise ValueError(f'told_backwards={told_backwards}; allowed are 0 to 1')
  kinds = taxonomy.part(categories)
  named = _words(seed=seed)
  held = _holdouts(kinds, holdouts, seed=seed)
  told = {
    named[kind.name]: _told(kind, held, named, told_backwards, seed=seed)
    for kind in kinds
  }
  # A lone kind of which nothing is told would be of no use to anybody.
  world = _world(told)
  written = text.documents(told, count=documents, style=style, seed=seed)
  asked = _questions(
    world, {named[name] for name in held}, written, most=questions, seed=seed
  )
  if not asked:
    raise ValueError(
      f'semantic with categories={categories} is too small to ask anything'
      f' with {CHOICES} choices; give more categories'
    )
  sizes = {'categories': categories, 'holdouts': holdouts, 'style': style}
  sizes |= {'facts': len(world.facts), 'told_backwards': told_backwards}
  return world, corpora.corpus(
    'semantic', written, asked, world='semantic', seed=seed, sizes=sizes
  )
