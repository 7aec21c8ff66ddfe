"""Every prompt that a model ever sees.

A context is a list of bullets. A question continues it with one more bullet, so
that a model answers by continuing a list of true statements.
"""

import dataclasses
import enum

BULLET = '- '
NEWLINE = '\n'

# Local augmentation: the model sees one document.
LOCAL = 'Statement: {document}\nIn other words and the other way around:\n'
# Global augmentation: the prompt follows a context of all documents.
GLOBAL = 'Look again: {document}\nTogether with the above this means:\n'


@dataclasses.dataclass(frozen=True)
class Wording:
  """How a model is asked for inferences; '{document}' stands for a document.

  Attributes:
    local: the prompt with one document.
    global_: the prompt that follows a context of all documents.
  """

  local: str
  global_: str


USUAL = 'continuation'
# The nano Gemmas are pretrained on the usual wording, with answers. The others
# occur nowhere in pretraining, but all of their words do.
WORDINGS = {
  USUAL: Wording(LOCAL, GLOBAL),
  'instruction': Wording(
    'Read this statement: {document}\n'
    'Say it in other words and the other way around:\n',
    'Read this again: {document}\n'
    'Say all that it means together with the above:\n',
  ),
  'question': Wording(
    'This is a statement: {document}\n'
    'Can you say it in other words and the other way around?\n',
    'This is a statement from the above: {document}\n'
    'Can you say all that it means together with the above?\n',
  ),
  'terse': Wording(
    '{document}\nThis means:\n', '{document}\nWith the above:\n'
  ),
}


class Mark(enum.Enum):
  """A mark of a chat's turns: an id of the tokenizer that no text becomes.

  The value is the name of the tokenizer's piece.
  """

  START_OF_TURN = '<start_of_turn>'
  END_OF_TURN = '<end_of_turn>'


# What a model reads: a text, or texts with marks between them. A string is
# always text, whatever it spells; marks come from this module only.
Text = str | tuple[str | Mark, ...]

# Turns of the instruction-tuned Gemma models: the opening of the user's turn,
# and what ends it and opens the model's.
USER: Text = (Mark.START_OF_TURN, 'user\n')
MODEL: Text = (Mark.END_OF_TURN, '\n', Mark.START_OF_TURN, 'model\n')


def join(*texts: Text) -> Text:
  """Returns texts as one: a string if there are no marks in them."""
  parts: list[str | Mark] = []
  for text in texts:
    for part in (text,) if isinstance(text, str) else text:
      last = parts[-1] if parts else None
      if isinstance(part, str) and isinstance(last, str):
        parts[-1] = last + part
      else:
        parts.append(part)
  if all(isinstance(part, str) for part in parts):
    return ''.join(part for part in parts if isinstance(part, str))
  return tuple(parts)


def length(text: Text) -> int:
  """Returns the number of characters; a mark counts as one."""
  if isinstance(text, str):
    return len(text)
  return sum(len(part) if isinstance(part, str) else 1 for part in text)


def bullet(text: str) -> str:
  """Renders '- text'."""
  return BULLET + text


def local(document: str, *, wording: str = USUAL) -> str:
  """Returns the prompt that asks for inferences from one document."""
  return WORDINGS[wording].local.replace('{document}', document)


def global_(document: str, *, wording: str = USUAL) -> str:
  """Returns the prompt that, after a context, asks to combine documents."""
  return WORDINGS[wording].global_.replace('{document}', document)
