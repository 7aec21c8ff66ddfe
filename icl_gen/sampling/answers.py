"""What a model answers in its own words: greedy, compared with the choices.

The text counts as a right choice if its first line is one; or its first
sentence, where the choice is a sentence.
"""

import dataclasses
from collections.abc import Sequence

from icl_gen.model.loading import Model
from icl_gen.sampling import sampler
from icl_gen.text import context as contexts
from icl_gen.text import prompts
from icl_gen.text.context import Context
from icl_gen.types import Question, Score

ROWS = 64
# Lengths are rounded up to these, so that few programs are compiled.
BUCKET = 16


def added(
  model: Model,
  questions: Sequence[Question],
  context: Context | Sequence[Context],
  scores: Sequence[Score],
  *,
  core: str = 'auto',
) -> tuple[Score, ...]:
  """The scores, with what the model writes after each prompt.

  Args:
    model: the loaded model.
    questions: what is asked.
    context: one for all questions, or one for each; as it was scored.
    scores: of the questions, in order.
    core: attention to contexts, a name of `cores.CORES`, or 'auto'.

  Raises:
    ValueError: for another number of contexts than of questions, or Gemma 3n
      and 4, which cannot be sampled from.
  """
  texts = write(model, questions, context, core=core)
  return tuple(
    dataclasses.replace(score, written=text, exact=is_exact(text, question))
    for score, question, text in zip(scores, questions, texts, strict=True)
  )


def write(
  model: Model,
  questions: Sequence[Question],
  context: Context | Sequence[Context],
  *,
  core: str = 'auto',
) -> tuple[str, ...]:
  """What the model writes after each prompt, greedily; see `added`."""
  one_each = contexts.per_question(context, len(questions))
  longest = max(
    len(model.tokenizer.encode(choice))
    for question in questions
    for choice in question.choices
  )
  texts: dict[str, str] = {}
  for behind in {one.text: one for one in one_each}.values():
    asked = [
      sampler.Request(question.id, contexts.tail(behind, question.prompt))
      for question, one in zip(questions, one_each, strict=True)
      if one.text == behind.text
    ]
    batches = sampler.sample(
      model,
      asked,
      sampler.encode_context(model, behind, core=core),
      seed='answers',
      temperature=0.0,
      # One more for the end of the text.
      max_tokens=-(-(longest + 1) // BUCKET) * BUCKET,
      rows_per_batch=min(ROWS, 1 << (len(asked) - 1).bit_length()),
    )
    for batch in batches:
      texts |= {completion.name: completion.text for completion in batch}
      print(f'answered {len(texts)}/{len(questions)}', flush=True)
  return tuple(texts[question.id] for question in questions)


def is_exact(text: str, question: Question) -> bool:
  """Whether the text is one of the question's right choices."""
  line = text.lstrip(' ').split(prompts.NEWLINE)[0]
  line = line.split(prompts.END_OF_TURN)[0].rstrip()
  return any(
    _begins(line, question.choices[answer].strip())
    for answer in question.answers
  )


def _begins(line: str, choice: str) -> bool:
  """Whether the line is the choice, or goes on after it with a new sentence."""
  rest = line.removeprefix(choice)
  return line.startswith(choice) and (
    not rest or (choice.endswith(('.', '!', '?')) and rest[0].isspace())
  )
