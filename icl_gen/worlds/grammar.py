"""Reads sentences back: text in, the facts that it asserts out.

Understands what `phrasings` can say (and, for people, what `identity` is sure
of). What is asked or denied asserts nothing. Judges nothing: whether a fact is
true is the audit's business.
"""

import itertools
import re
from collections.abc import Callable

from icl_gen.types import Fact, World
from icl_gen.worlds import (
  codebook,
  expressions,
  identity,
  people,
  phrasings,
  process,
  semantic_text,
)

Reader = Callable[[str], tuple[Fact, ...] | None]

# List markers that generated text puts before a sentence: '- ', '* ', '1. ',
# '2) '.
_BULLET = re.compile(r'^(?:[-*•–]+|\(?\d+[.)])\s+')
_SENTENCE_END = re.compile(r'(?<=[.!?])\s+')
_PREAMBLE = re.compile(
  rf'^(?:{"|".join(map(re.escape, phrasings.PREAMBLES))})\s+', re.IGNORECASE
)
_RELATIONSHIPS = re.compile(
  r'^The relationships between [\w, ]+ are:\s*', re.IGNORECASE
)


def _pattern_of_terms(form: str) -> re.Pattern[str]:
  """Matches a form with any word for {S} and for {P}."""
  words = form.format(S=r'(?P<S>\w+)', P=r'(?P<P>\w+)')
  return re.compile(rf'^{words}[.!?]*$', re.IGNORECASE)


_COMPARISON = re.compile(
  rf'^(\w+) are (more|less) ({"|".join(phrasings.FEATURES)}) than (\w+)[.!?]*$',
  re.IGNORECASE,
)
_QUANTIFIED = tuple(
  (quantifier, _pattern_of_terms(form))
  for quantifier in phrasings.QUANTIFIERS
  for form in (
    phrasings.quantified(quantifier, '{S}', '{P}'),
    *phrasings.QUANTIFIED_OTHERWISE[quantifier],
  )
)
# In texts about kinds: who speaks, and what asserts nothing.
_SPOKEN = re.compile(
  rf'^(?:{"|".join(phrasings.SPEAKERS)}): |(?<=[.!?] )A: |^- ', re.MULTILINE
)
_LEFT_OUT = re.compile(
  '|'.join(
    re.sub(r'\\\{\w\\\}', r'\\w+', re.escape(form))
    for form in (
      *phrasings.KIND_HEADINGS.values(),
      *itertools.chain(*phrasings.KIND_QUESTIONS.values()),
    )
  ),
  re.IGNORECASE,
)
# The only question that asserts something.
_DID_YOU_KNOW = re.compile(r'did you know', re.IGNORECASE)


def reader(world_name: str, world: World) -> Reader:
  """Returns the reader of one world's sentences.

  The reader takes a text of one or more sentences and returns the facts that
  it asserts, in order, or None where any part of it cannot be read. Bullets,
  preambles and 'The relationships between ... are:' are skipped. Entities of
  comparisons and quantified statements may be any word, in lower case.

  Args:
    world_name: a key of _READERS. Nothing of 'custom' can be read.
    world: whose names, descriptions and verbs are known.

  Raises:
    ValueError: if no such world has a grammar.
  """
  if world_name not in _READERS:
    raise ValueError(
      f'no grammar for world {world_name!r}; there is one for'
      f' {", ".join(sorted(_READERS))}'
    )
  return _READERS[world_name](world)


def has_reader(world_name: str) -> bool:
  """Whether `reader` knows the world."""
  return world_name in _READERS


def _sentence_reader(statement: Callable[[str], Fact | None]) -> Reader:
  def read(text: str) -> tuple[Fact, ...] | None:
    sentences = _SENTENCE_END.split(_unlisted(text))
    if any(s.endswith('?') and not _DID_YOU_KNOW.match(s) for s in sentences):
      return None
    facts = [statement(bare) for s in sentences if (bare := _bare(s))]
    if not facts or None in facts:
      return None
    return tuple(facts)

  return read


def _unlisted(text: str) -> str:
  return _BULLET.sub('', text.strip())


def _bare(sentence: str) -> str:
  """Without a lead-in and a preamble."""
  return _PREAMBLE.sub('', _RELATIONSHIPS.sub('', sentence))


def _comparison(sentence: str) -> Fact | None:
  match = _COMPARISON.match(sentence)
  if match is None:
    return None
  one, degree, feature, other = match.group(0, 1, 2, 3, 4)[1:]
  return Fact(one.lower(), f'{degree.lower()} {feature.lower()}', other.lower())


def _quantified(sentence: str) -> Fact | None:
  for quantifier, pattern in _QUANTIFIED:
    match = pattern.match(sentence)
    if match is not None:
      return Fact(match['S'].lower(), quantifier, match['P'].lower())
  return None


def _person_reader(world: World) -> Reader:
  """Finds known names and descriptions; their order is the direction.

  Names and descriptions are matched word by word, in any case and whatever the
  punctuation; descriptions also without their leading 'the'. Two of them are a
  fact where the words around them say that they are one person.
  """
  sayable = set(world.facts) | world.contradicted
  sayable.update(entailment.fact for entailment in world.entailed)
  known = {
    _key(entity): entity
    for fact in sayable
    for entity in (fact.subject, fact.object)
  }
  # All descriptions of a drawn world begin with 'the', and names do not.
  partial = not all(
    _described(fact.subject) != _described(fact.object) for fact in world.facts
  )
  # The longest first: one description may begin with another.
  longest_first = sorted(known, key=lambda key: (-len(key), key))
  words = '|'.join(key.replace(' ', r'\W+') for key in longest_first)
  pattern = re.compile(rf'\b(?:the\W+)?({words})\b', re.IGNORECASE)

  def read(text: str) -> tuple[Fact, ...] | None:
    said, entities = [''], []
    text, end = _unlisted(text), 0
    for match in pattern.finditer(text):
      said.append(text[end : match.start()])
      entities.append(known[_key(match.group())])
      end = match.end()
    said = [*said[1:], text[end:]]
    if len(set(entities)) == 2 and len(entities) % 2:
      # Said again in passing: the first mention of the second one counts.
      second = next(i for i, e in enumerate(entities) if e != entities[0])
      entities = entities[second - 1 : second + 1]
      said = [
        ' '.join(said[:second]),
        said[second],
        ' '.join(said[second + 1 :]),
      ]
    if not entities or len(entities) % 2:
      return None
    facts = []
    before, *gaps = said
    for i, between in enumerate(gaps[::2]):
      one, other = entities[2 * i : 2 * i + 2]
      after, following = gaps[2 * i + 1], ''
      if 2 * i + 2 < len(entities):
        after, following = _cut(after)
      fact = Fact(one, 'is', other)
      if fact not in sayable or not identity.asserted(
        before, between, after, name_first=_described(other), partial=partial
      ):
        return None
      facts.append(fact)
      before = following
    return tuple(facts)

  return read


def _described(entity: str) -> bool:
  return entity.lower().startswith('the ')


def _cut(gap: str) -> tuple[str, str]:
  """The end of a sentence, and the beginning of the next."""
  ends = [match.end() for match in re.finditer(r'[.!?;](?=\W)', gap)]
  return (gap[: ends[-1]], gap[ends[-1] :]) if ends else ('', gap)


def _kind_reader(world: World) -> Reader:
  """Reads kinds, properties and the world's own verbs, in every form.

  Headings and questions are skipped. Nouns and adjectives may be any word, in
  lower case; nouns are given in the plural.
  """
  relations = dict.fromkeys(semantic_text.base(f.relation) for f in world.facts)
  forms = [
    (_form_pattern(form, relation, reverse), relation, reverse)
    for relation in dict.fromkeys([*phrasings.KIND_STYLES, *relations])
    if relation != 'verb'
    for reverse in (False, True)
    for form in phrasings.kind_forms(relation, reverse=reverse)
  ]

  def statement(sentence: str) -> Fact | None:
    for pattern, relation, reverse in forms:
      if match := pattern.fullmatch(sentence.rstrip('.!?').lower()):
        words = match.groupdict()
        one, other = (
          words[noun]
          if noun in words
          else phrasings.plural(words[f'one_{noun}'])
          for noun in 'AB'
        )
        fact = Fact(one, relation, other)
        return semantic_text.flip(fact) if reverse else fact
    return None

  read = _sentence_reader(statement)
  return lambda text: read(_LEFT_OUT.sub(' ', _SPOKEN.sub('', text)))


def _form_pattern(form: str, relation: str, reverse: bool) -> re.Pattern[str]:
  """A form of a relation, its nouns to be found."""
  slots = {
    '{A}': '(?P<A>[a-z]+s)',
    '{B}': '(?P<B>[a-z]+s)' if relation != 'is' else '(?P<B>[a-z]+(?<!s))',
    '{a}': '(?P<one_A>[a-z]+(?<!s))',
    '{b}': '(?P<one_B>[a-z]+(?<!s))',
    '{V}': phrasings.past(relation) if reverse else relation,
    '{v}': phrasings.plural(relation),
  }
  return re.compile(re.sub(r'\{\w\}', lambda slot: slots[slot.group()], form))


def _key(entity: str) -> str:
  return people.words_of(entity).removeprefix('the ')


_DERIVATOID = re.compile(
  r'^(?:by the \w+ rule, )?the derivatoid of (.+) is (.+?)[.!?]*$',
  re.IGNORECASE,
)
_CODED = re.compile(
  r'^in the book (\w+), (\w+) (is called|means) (\w+)[.!?]*$', re.IGNORECASE
)


def _derivatoid_reader(world: World) -> Reader:
  """Spaces and needless parentheses make no difference, nor, for a result, the
  order of sums and products: it is given in the world's words."""
  true = (*world.facts, *(entailment.fact for entailment in world.entailed))
  results = {fact.subject: fact for fact in true}

  def statement(sentence: str) -> Fact | None:
    fact = _derivatoid(sentence)
    known = results.get(fact.subject) if fact else None
    same = known and expressions.same(known.object, fact.object)
    return known if same else fact

  return _sentence_reader(statement)


def _derivatoid(sentence: str) -> Fact | None:
  match = _DERIVATOID.match(sentence)
  if match is None:
    return None
  try:
    subject, result = (
      expressions.render(expressions.parse(text.lower()))
      for text in match.groups()
    )
  except ValueError:
    return None
  return Fact(subject, process.BECOMES, result)


def _coded(sentence: str) -> Fact | None:
  match = _CODED.match(sentence)
  if match is None:
    return None
  book, one, relation, other = (part.lower() for part in match.groups())
  say = codebook.calls if relation == 'is called' else codebook.means
  return Fact(one, say(book), other)


_READERS: dict[str, Callable[[World], Reader]] = {
  'reversal': lambda world: _sentence_reader(_comparison),
  'syllogism': lambda world: _sentence_reader(_quantified),
  'celebrity': _person_reader,
  'semantic': _kind_reader,
  'process': _derivatoid_reader,
  'codebook': lambda world: _sentence_reader(_coded),
  'custom': lambda world: lambda text: None,  # nobody knows what it may say
}
