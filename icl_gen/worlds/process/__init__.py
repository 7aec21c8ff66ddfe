"""Process: derivatoids, a made-up transform that is shown by worked examples.

Documents work out expressions step by step, by the rules in `derivatoids.py`,
but never state a rule. Some combinations of rules ('sum of power and sine') are
in no document. The questions ask for new expressions, both of combinations that
were shown ('seen') and of those that were not ('compositional'). Wrong choices
are near misses: the ordinary derivative, one wrong rule, or swapped parts.
"""

from icl_gen.text import transforms
from icl_gen.worlds.definition import Definition
from icl_gen.worlds.process import derivatoids, world

DEFINITION = Definition(
  about=__doc__,
  build=world.build,
  sizes={
    'paper': {
      'examples': 1000,
      'questions': 200,
      'numbers': 9,
      'depth': 2,
      'rules': tuple(derivatoids.RULES),
      'style': 'long',
    },
    'nano': {
      'examples': 20,
      'questions': 24,
      'numbers': 4,
      'depth': 1,
      'rules': ('power', 'sine', 'exponential', 'sum', 'product'),
      'style': 'short',
    },
  },
  reader=transforms.reader,
  said=lambda fact: transforms.statement(fact.subject, fact.object),
  excluder=world.excluder,
)
