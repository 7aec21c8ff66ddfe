"""How right answers follow from what documents state, in plain words."""

from collections.abc import Iterable, Sequence

from icl_gen.types import Fact, Question
from icl_gen.worlds import catalog


def derivations(
  name: str, questions: Iterable[Question]
) -> dict[str, tuple[str, ...]]:
  """Returns the derivation of every answer that has to be inferred.

  Args:
    name: of the questions' world.
    questions: of the world.

  Returns:
    question id -> its premises in the order in which they lead from the
    beginning of the answer to its end, and then the answer. Questions whose
    answer is stated, or of which nothing is known, have none.

  Raises:
    ValueError: the world is unknown.
  """
  said = catalog.definition(name).said
  return {
    question.id: tuple(
      said(fact)
      for fact in (
        *in_order(question.target, question.premises),
        question.target,
      )
    )
    for question in questions
    if question.target is not None
    and question.premises
    and question.target not in question.premises
  }


def in_order(target: Fact, premises: Sequence[Fact]) -> list[Fact]:
  """The premises as a path from the target's subject to its object.

  Each is about something that the one before is about, in either direction.
  Premises that are on no such path come last, in the order given: those of
  derivatoids are about parts of an expression.
  """
  left, path, place = list(premises), [], target.subject
  while found := next(
    (f for f in left if place in (f.subject, f.object)), None
  ):
    left.remove(found)
    path.append(found)
    place = found.object if found.subject == place else found.subject
  return path + left
