"""Answers questions by greedy generation and compares them with the choices.

An answer is an exact match if its first line is a right choice, or, where the
choice is a sentence, if its first sentence is.
"""

import dataclasses
from collections.abc import Callable, Sequence

from icl_gen.model.loading import Model
from icl_gen.sampling import sampler
from icl_gen.text import context as contexts
from icl_gen.text import prompts
from icl_gen.text.context import Context
from icl_gen.text.prompts import Text
from icl_gen.types import Question, Score

ROWS = 64
# max_tokens is rounded up to a multiple, so that few programs are compiled.
BUCKET = 16


def added(
  model: Model,
  questions: Sequence[Question],
  context: Context | Sequence[Context],
  scores: Sequence[Score],
  *,
  core: str = 'auto',
) -> tuple[Score, ...]:
  """Adds the model's generated answers to the scores.

  Args:
    model: the loaded model.
    questions: the questions.
    context: one for all questions, or one for each, as for the scores.
    scores: one per question, in order.
    core: how prompts attend to contexts: a name in `cores.CORES`, or 'auto'.

  Returns:
    the scores with `written` and `exact` set.

  Raises:
    ValueError: for a number of contexts that differs from that of the
      questions.
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
  """The text that the model generates greedily after each prompt.

  Args:
    model: the loaded model.
    questions: the questions.
    context: one for all questions, or one for each.
    core: as in `added`.

  Returns:
    one text per question, in order.

  Raises:
    ValueError: as in `added`.
  """
  context_of = contexts.per_question(context, len(questions))
  texts: dict[str, str] = {}
  for shared in {one.before: one for one in context_of}.values():
    requests = [
      sampler.Request(question.id, contexts.tail(shared, question.prompt))
      for question, one in zip(questions, context_of, strict=True)
      if one.before == shared.before
    ]
    batches = sampler.sample(
      model,
      requests,
      sampler.encode_context(model, shared, core=core),
      seed='answers',
      temperature=0.0,
      max_tokens=_most(questions, model.tokenizer.count),
      rows_per_batch=min(ROWS, 1 << (len(requests) - 1).bit_length()),
    )
    for batch in batches:
      texts |= {completion.name: completion.text for completion in batch}
      print(f'answered {len(texts)}/{len(questions)}', flush=True)
  return tuple(texts[question.id] for question in questions)


def row_tokens(
  questions: Sequence[Question],
  context: Context | Sequence[Context],
  count_tokens: Callable[[Text], int],
) -> int:
  """Tokens of the longest prompt, after its context, with an answer and BOS.

  Args:
    questions: as of `write`.
    context: as of `write`.
    count_tokens: returns the length of a text in tokens.

  Raises:
    ValueError: as in `added`.
  """
  context_of = contexts.per_question(context, len(questions))
  before = {
    text: count_tokens(text)
    for text in dict.fromkeys(one.before for one in context_of)
  }
  prompt = max(
    before[one.before] + count_tokens(contexts.tail(one, question.prompt))
    for question, one in zip(questions, context_of, strict=True)
  )
  return 1 + prompt + _most(questions, count_tokens)


def _most(
  questions: Sequence[Question], count_tokens: Callable[[Text], int]
) -> int:
  """Tokens that are generated at most."""
  longest = max(
    count_tokens(choice)
    for question in questions
    for choice in question.choices
  )
  # One more for the end-of-sequence token.
  return -(-(longest + 1) // BUCKET) * BUCKET


def is_exact(text: str, question: Question) -> bool:
  """Whether a generated text gives one of the question's right choices."""
  line = text.lstrip(' ').split(prompts.NEWLINE)[0].rstrip()
  return any(
    _begins(line, question.choices[answer].strip())
    for answer in question.answers
  )


def _begins(line: str, choice: str) -> bool:
  """Whether the line is the choice, or the choice and further sentences."""
  rest = line.removeprefix(choice)
  return line.startswith(choice) and (
    not rest or (choice.endswith(('.', '!', '?')) and rest[0].isspace())
  )
