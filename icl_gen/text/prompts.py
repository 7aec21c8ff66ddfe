"""Every prompt that a model ever sees, in our own wording.

A context is a list of bullets. A question continues it with one more bullet,
so that answering is the continuation of a list of true statements.
"""

BULLET = '- '
NEWLINE = '\n'

# Local augmentation: one document alone.
LOCAL = 'Statement: {document}\nIn other words and the other way around:\n'
# Global augmentation: one document after all the others.
GLOBAL = 'Look again: {document}\nTogether with the above this means:\n'

# Turns of the instruction-tuned Gemma models: what is asked, and the start of
# the reply. The tokenizer must know both markers as single pieces.
START_OF_TURN, END_OF_TURN = '<start_of_turn>', '<end_of_turn>'
USER = f'{START_OF_TURN}user\n'
MODEL = f'{END_OF_TURN}\n{START_OF_TURN}model\n'


def bullet(text: str) -> str:
  """'- text'."""
  return BULLET + text


def local(document: str) -> str:
  """The prompt that asks for inferences from one document alone."""
  return LOCAL.replace('{document}', document)


def global_(document: str) -> str:
  """The prompt, after a context, for inferences across documents."""
  return GLOBAL.replace('{document}', document)
