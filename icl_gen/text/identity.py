"""Whether a sentence says that a name and a description are one person.

Given what stands before, between and behind the two. Understands the phrasings
of `phrasings`, and free English as far as it is sure: what doubts, denies or
asks is no assertion, and neither is any other relation of the two.
"""

import itertools
import re

from icl_gen.text import descriptions, preambles
from icl_gen.text.descriptions import words_of

# Any of these makes a sentence something else than an assertion.
_DOUBTED = frozenset(
  """not no nobody none nothing neither nor never t cannot hardly barely
  scarcely seldom rarely false falsely untrue wrong wrongly incorrect
  incorrectly mistaken mistakenly myth lie lied lying rumor rumors joke
  fake deny denies denied denying doubt doubts doubted dispute disputed refute
  refuted unlikely impossible if unless whether without except than other
  another different unlike opposite instead rather might may could would should
  maybe perhaps possibly probably almost nearly supposedly allegedly pretend
  pretends pretended imagine imagines suppose wish wishes wonder wonders guess
  wants wanted tried""".split()
)
_DOUBTED_TOGETHER = re.compile(
  r'\b(?:(?:anyone|anybody|everyone|everybody|all) but'
  r'|few (?:think|believe|say|claim))\b'
)
# These do not, for all their words.
_AFFIRMED = re.compile(
  r'\b(?:none other than|not only|(?:let s|do|don t) not forget|don t forget'
  r'|never forget|not your typical \w+|may (?:have heard|know|remember)'
  r'|never shy about|never let|wouldn t guess|if you look for'
  r'|(?:no|without a) doubt)\b'
)
# What may come before an assertion: all of its words are among these.
_LEADING = frozenset(
  """the a an this that one ones person people man woman someone somebody who is
  was are were be being became known know knows called call calls named name
  names said say says saying told tell tells telling you us me we our your my
  i they it he she there here everyone everybody all many most few some world
  town city land country history story book books guide report reports record
  records paper papers teacher historians scholars experts locals fans legend
  of about to in on at by as for and so well yes indeed actually really truly
  certainly surely clearly course true fact truth sure agree agrees remember
  remembers remembered recall recalls learned learnt heard hear hears ever
  have has had read found find out note noted believe believes turns today now
  once long ago time times then later still always also years year before
  after since famous great celebrated quiet old young renowned wise modest
  humble proud honored hailed recognized introducing introduce meet meeting
  think thinks guest hero heroine star own wrote writes shows show traveler
  song did do can words q according""".split()
)
# A description or name that follows these is not who the sentence is about ...
_OF_ANOTHER = frozenset(
  'of by with and or to for than from like against about in on at'.split()
)
# ... unless it is only spoken about.
_SPOKEN_OF = re.compile(
  r'\b(?:heard|hear|tell (?:you|me|us)|told|speak|know|learned|think|read'
  r'|thinks|reads) (?:of|about)$'
)
_QUESTION = re.compile(r'^(?:is|was|are|were|does|do|did|has|can)\b')
_RHETORICAL = re.compile(
  r'^(?:did|do|have) you (?:ever )?(?:know|hear|heard)\b'
)

_WHO = 'who|that|which|they|he|she|it|this|the person|this person|the one'
_IS = (
  'is|was|are|were|s|re|became|becomes|remains|remained|has been|had been'
  '|used to be|being|is said to be|turned out to be|has always been'
)
_ADVERB = (
  'also|indeed|in fact|of course|well|really|truly|actually|certainly|surely'
  '|clearly|now|today|still|once|then|later|finally|always|simply|famously'
  '|widely|better|best|first|none other than|long ago|a long time ago'
)
_KNOWN = (
  'known|remembered|recalled|celebrated|famous|renowned|recognized|recognised'
  '|called|named|identified|hailed|honored|introduced|noted'
)
_SPREAD = (
  'far and wide|everywhere|(?:to|by) (?:all|everyone|everybody|many|most|us'
  '|the world|history)'
)
_AS = 'as|for being|as being|to be|by the name(?: of)?|under the name(?: of)?'
_ROLE = (
  '(?:the |a )?(?:person|one|man|woman|name|someone|somebody)'
  ' (?:called|named|known as|who is|who was|of)'
)
_LINK = re.compile(
  rf'(?:(?:{_WHO}) )?(?:(?:{_ADVERB}) )*(?:(?:{_IS}) )?(?:(?:{_ADVERB}) )*'
  rf'(?:(?:{_KNOWN}) )?(?:(?:{_SPREAD}) )?(?:(?:{_IS}) )?(?:(?:{_ADVERB}) )*'
  rf'(?:(?:{_AS}) )?(?:{_ROLE} )?'
  r'|(?:who )?(?:has|had) the (?:honor|title|distinction) of being '
  r'|(?:who )?(?:belongs to|goes to|goes by the name of|means|they mean|a) '
)
# What only passive forms of these make one person of two.
_ACTIVE = frozenset(_KNOWN.split('|'))


def _told(phrasing: str) -> tuple[str, str, str]:
  """What stands before, between and behind the two, in words."""
  before, between, after = re.split(r'\{[ND]\}', phrasing)
  return words_of(before), words_of(between), words_of(after)


_KNOWN_FORMS = frozenset(
  map(_told, descriptions.NAME_FIRST + descriptions.DESCRIPTION_FIRST)
)
_PREAMBLES = tuple(f'{words_of(said)} ' for said in preambles.PREAMBLES)


def asserted(
  before: str, between: str, after: str, *, name_first: bool, partial: bool
) -> bool:
  """Whether the two are said to be one person.

  Args:
    before: all that is said up to the first of the two, markers left out.
    between: up to the second.
    after: what follows it, up to the next assertion.
    name_first: whether the name is the first.
    partial: whether descriptions are cores of longer ones ('first bridge to
      the red island'), so that more of them stands around. What is said may
      then be anything that neither asks nor doubts.
  """
  told = words_of(before), words_of(between), words_of(after)
  start = _without_preamble(told[0])
  asked = re.match(r'[^.!;]*\?', after) is not None
  if not asked and {told, (start, *told[1:])} & _KNOWN_FORMS:
    return True
  spoken = [_AFFIRMED.sub(' ', words).split() for words in told]
  if asked and not (partial or _RHETORICAL.match(told[0])):
    return False
  if _QUESTION.match(start) and not _RHETORICAL.match(start):
    return False
  if _DOUBTED.intersection(itertools.chain(*spoken)) or any(
    map(_DOUBTED_TOGETHER.search, told)
  ):
    return False
  if told[2].startswith('s ') or told[2] == 's':
    return False  # "... of N's"
  if partial:
    return True
  if not _leads(start):
    return False
  if name_first and told[1] in _ACTIVE:
    return False
  return _LINK.fullmatch(f'{told[1]} '.lstrip()) is not None


def _without_preamble(words: str) -> str:
  for preamble in _PREAMBLES:
    if f'{words} '.startswith(preamble):
      return words[len(preamble) :]
  return words


def _leads(words: str) -> bool:
  """Whether an assertion may begin so."""
  words = re.sub(r'^(?:and|while)\b ?', '', _AFFIRMED.sub('', words))
  said = words.split()
  if not said:
    return True
  if not all(word in _LEADING or word.isdigit() for word in said):
    return False
  return said[-1] not in _OF_ANOTHER or bool(_SPOKEN_OF.search(words))
