"""Every prompt that a model ever sees.

A context is a list of bullets. A question continues it with one more bullet, so
that a model answers by continuing a list of true statements.
"""

BULLET = '- '
NEWLINE = '\n'

# Local augmentation: the model sees one document.
LOCAL = 'Statement: {document}\nIn other words and the other way around:\n'
# Global augmentation: the prompt follows a context of all documents.
GLOBAL = 'Look again: {document}\nTogether with the above this means:\n'

# Turns of the instruction-tuned Gemma models: the opening of the user's turn,
# and what ends it and opens the model's. Both markers must be single pieces of
# the tokenizer.
START_OF_TURN, END_OF_TURN = '<start_of_turn>', '<end_of_turn>'
USER = f'{START_OF_TURN}user\n'
MODEL = f'{END_OF_TURN}\n{START_OF_TURN}model\n'


def bullet(text: str) -> str:
  """Renders '- text'."""
  return BULLET + text


def local(document: str) -> str:
  """Returns the prompt that asks for inferences from one document."""
  return LOCAL.replace('{document}', document)


def global_(document: str) -> str:
  """Returns the prompt that, after a context, asks to combine documents."""
  return GLOBAL.replace('{document}', document)
