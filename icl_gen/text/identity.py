"""Whether English says that two mentions are one person.

Judges by the words before, between and after the two. It errs on the side of
'no': a sentence that doubts, denies or asks is not an assertion, and neither is
one that relates the two in any other way.
"""

import itertools
import re

from icl_gen.text.forms.statements import PREAMBLES
from icl_gen.text.sentences import words_of

# A sentence with one of these does not assert anything.
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
# These are assertions although they contain such words.
_AFFIRMED = re.compile(
  r'\b(?:none other than|not only|(?:let s|do|don t) not forget|don t forget'
  r'|never forget|not your typical \w+|may (?:have heard|know|remember)'
  r'|never shy about|never let|wouldn t guess|if you look for'
  r'|(?:no|without a) doubt)\b'
)
# An assertion may begin with these words, and with no others.
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
# A mention right after these is not the subject of the sentence ...
_OF_ANOTHER = frozenset(
  'of by with and or to for than from like against about in on at'.split()
)
# ... unless it comes after one of these.
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
# In the active voice these relate two people: 'N called D'.
_ACTIVE = frozenset(_KNOWN.split('|'))
_PREAMBLES = tuple(f'{words_of(said)} ' for said in itertools.chain(*PREAMBLES))


def is_asserted(
  before: str, between: str, after: str, *, name_first: bool, partial: bool
) -> bool:
  """Whether the text around two mentions says that they are one person.

  Args:
    before: the text before the first mention, without list markers.
    between: the text between the two.
    after: the text after the second, up to the next assertion.
    name_first: whether the first mention is the name.
    partial: whether descriptions are cores of longer ones ('first bridge to
      the red island'), so that the rest of the description is around them. Then
      any words that neither ask nor doubt make an assertion.
  """
  around = words_of(before), words_of(between), words_of(after)
  start = without_preamble(around[0])
  rhetorical = _RHETORICAL.match(around[0]) is not None
  if is_question(after) and not (partial or rhetorical):
    return False
  if _QUESTION.match(start) and not _RHETORICAL.match(start):
    return False
  if _is_doubted(around):
    return False
  if around[2].startswith('s ') or around[2] == 's':
    return False  # "... of N's"
  if partial:
    return True
  if not _may_begin(start):
    return False
  if name_first and around[1] in _ACTIVE:
    return False
  return _LINK.fullmatch(f'{around[1]} '.lstrip()) is not None


def is_question(after: str) -> bool:
  """Whether the sentence of the second mention ends in a question mark."""
  return re.match(r'[^.!;]*[.!]*\?', after) is not None


def without_preamble(words: str) -> str:
  """Removes a leading preamble from words in the form of `words_of`."""
  for preamble in _PREAMBLES:
    if f'{words} '.startswith(preamble):
      return words[len(preamble) :]
  return words


def _is_doubted(around: tuple[str, ...]) -> bool:
  spoken = [_AFFIRMED.sub(' ', words).split() for words in around]
  if _DOUBTED.intersection(itertools.chain(*spoken)):
    return True
  return any(map(_DOUBTED_TOGETHER.search, around))


def _may_begin(words: str) -> bool:
  """Whether an assertion may begin with these words."""
  words = re.sub(r'^(?:and|while)\b ?', '', _AFFIRMED.sub('', words))
  said = words.split()
  if not said:
    return True
  if not all(word in _LEADING or word.isdigit() for word in said):
    return False
  return said[-1] not in _OF_ANOTHER or bool(_SPOKEN_OF.search(words))
