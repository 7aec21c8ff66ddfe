"""Semantic: a taxonomy in nonsense words, and what a reader can infer from it.

The taxonomy has 110 categories of animals and objects with properties and
relations, each name replaced by a nonsense word. Documents state each fact in
one direction only. The questions ask for facts as stated ('rephrase'), for
their reversals, for what follows from two premises ('syllogism') or more
('deduction'), and for everything that follows about holdouts: categories of
which documents state only the parent.
"""

from icl_gen.text import categories
from icl_gen.worlds.definition import Definition
from icl_gen.worlds.semantic import world

DEFINITION = Definition(
  about=__doc__,
  build=world.build,
  sizes={
    'paper': {
      'categories': 110,
      'documents': 2200,
      'holdouts': 11,
      'told_backwards': 0.15,
      'questions': 200,
      'style': 'varied',
    },
    'nano': {
      'categories': 20,
      'documents': 80,
      'holdouts': 3,
      'told_backwards': 0.0,
      'questions': 60,
      'style': 'plain',
    },
  },
  reader=categories.reader,
  said=categories.said,
  stated=frozenset({'rephrase'}),
)
