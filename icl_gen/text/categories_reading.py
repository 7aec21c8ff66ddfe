"""Reads statements about categories back, in every form."""

import itertools
import re

from icl_gen.text import categories, sentences
from icl_gen.types import Fact, World

# In texts about kinds: who speaks, and what asserts nothing.
_SPOKEN = re.compile(
  rf'^(?:{"|".join(categories.SPEAKERS)}): |(?<=[.!?] )A: |^- ', re.MULTILINE
)


_LEFT_OUT = re.compile(
  '|'.join(
    re.sub(r'\\\{\w\\\}', r'\\w+', re.escape(form))
    for form in (
      *categories.HEADINGS.values(),
      *itertools.chain(*categories.QUESTIONS.values()),
    )
  ),
  re.IGNORECASE,
)


def reader(world: World) -> sentences.Reader:
  """Reads kinds, properties and the world's own verbs, in every form.

  Headings and questions are skipped. Nouns and adjectives may be any word, in
  lower case; nouns are given in the plural.
  """
  relations = dict.fromkeys(categories.base(f.relation) for f in world.facts)
  forms = [
    (_form_pattern(form, relation, reverse), relation, reverse)
    for relation in dict.fromkeys([*categories.STYLES, *relations])
    if relation != 'verb'
    for reverse in (False, True)
    for form in categories.forms(relation, reverse=reverse)
  ]

  def statement(sentence: str) -> Fact | None:
    for pattern, relation, reverse in forms:
      if match := pattern.fullmatch(sentence.rstrip('.!?').lower()):
        words = match.groupdict()
        one, other = (
          words[noun]
          if noun in words
          else categories.plural(words[f'one_{noun}'])
          for noun in 'AB'
        )
        fact = Fact(one, relation, other)
        return categories.flip(fact) if reverse else fact
    return None

  read = sentences.reader(statement)
  return lambda text: read(_LEFT_OUT.sub(' ', _SPOKEN.sub('', text)))


def _form_pattern(form: str, relation: str, reverse: bool) -> re.Pattern[str]:
  """A form of a relation, its nouns to be found."""
  slots = {
    '{A}': '(?P<A>[a-z]+s)',
    '{B}': '(?P<B>[a-z]+s)' if relation != 'is' else '(?P<B>[a-z]+(?<!s))',
    '{a}': '(?P<one_A>[a-z]+(?<!s))',
    '{b}': '(?P<one_B>[a-z]+(?<!s))',
    '{V}': categories.past(relation) if reverse else relation,
    '{v}': categories.plural(relation),
  }
  return re.compile(re.sub(r'\{\w\}', lambda slot: slots[slot.group()], form))
