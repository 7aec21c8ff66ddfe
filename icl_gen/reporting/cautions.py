"""What results cannot bear, in sentences for the page and for who starts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from icl_gen.reporting.formatting import percent

if TYPE_CHECKING:  # It imports pandas, which who starts a study does not need.
  from icl_gen.reporting.answers import Result

# The embedded models, as in runs/models.py, which no report needs otherwise.
NANO = ('nano', 'nano_small', 'nano2')
# Their documents are in English that nano was not trained on.
_REAL = ('custom', 'celebrity_files', 'celebrity_hub')


def of_model(world: str, model: str) -> str:
  """What a model cannot show on a world; '' if nothing is known.

  Args:
    world: the world's name.
    model: the model's name.
  """
  if model not in NANO or world not in _REAL:
    return ''
  return (
    f'The embedded model {model} knows few English words and infers only in the'
    ' sentence patterns of the invented worlds: on documents in real English it'
    ' shows that everything runs, and what is learned word for word; for'
    ' inferences, use a real Gemma.'
  )


def in_context(rows: 'Sequence[Result]') -> str:
  """Says, before the headline, that a model cannot do a task in context.

  The reference is what it reaches without the documents, or chance if that is
  higher.

  Args:
    rows: the accuracies of one world, model and kind, by condition.

  Returns:
    '' if it can, or if it was not asked in context.
  """
  found = {row.condition: row for row in rows}
  if 'icl' not in found:
    return ''
  asked, chance = found['icl'], found['icl'].chance
  before = found['pretrained'].accuracy if 'pretrained' in found else chance
  reference = max(chance, before)
  name = 'chance' if chance >= before else 'pretrained'
  than = f'{name} {percent(reference)}\u00a0%'
  if asked.accuracy <= reference:
    return (
      'This model cannot do this in context, so its inferences are not expected'
      f' to help (in context {percent(asked.accuracy)}\u00a0%, {than}). '
    )
  if asked.low <= reference:
    return (
      'It is not certain that this model can do this in context: the interval'
      f' of its accuracy reaches {than}. '
    )
  return ''
