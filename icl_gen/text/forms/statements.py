"""Preambles, comparisons, quantified statements, codes and derivatoids.

In three parts each. A world's nonsense words are not part of a form.
"""

from collections.abc import Mapping

from icl_gen.text.forms.split import Split, words

# They may open any statement.
PREAMBLES = Split(
  seen=(
    'Did you know that',
    'It is a fact that',
    'Everyone here says that',
    'The book tells us that',
    'As we learned,',
    'Remember that',
    'In this land',
    'People agree that',
    'It was found that',
    'My teacher said that',
    'We can be sure that',
    'The old song says that',
    'A traveler wrote that',
    'It is well known that',
    'Note that',
    'According to the guide,',
    'The report shows that',
    'Many believe that',
    'It is true that',
    'I heard that',
  ),
  development=(
    'The sailor told me that',
    'My sister heard that',
    'The poem tells us that',
    'In the kitchen they say that',
    'The lawyer believed that',
    'The last page shows that',
    'It is common knowledge that',
    'The people of the island say that',
    'A friend wrote to us that',
    'The painter at the market said that',
    'In the evening we heard that',
    'The record of the journey shows that',
    'The new teacher told us that',
    'Long ago it was found that',
    'The radio said that',
    'The engineer noticed that',
    'The answer to the question is that',
    'As the guest told us,',
    'According to the museum,',
    'It is now known that',
  ),
  test=(
    'The student next to me said that',
    'The letter from the king says that',
    'The old farmer told us that',
    'In the library I read that',
    'The museum report noted that',
    'My brother is sure that',
    'The judge found that',
    'On the first page it says that',
    'The winner of the prize said that',
    'A student from the city wrote that',
    'At school we learned that',
    'The morning newspaper said that',
    'The captain of the ship noticed that',
    'The doctor and the nurse agree that',
    'It is clear that',
    'The map in the office shows that',
    'A true story tells us that',
    'The scientist discovered that',
    'Our neighbor told me that',
    'From this book we know that',
  ),
)
# What is compared. All take 'more' and 'less' (never '-er'), so that a
# statement and its contradiction differ in exactly one word. The seen ones are
# 28, as in the paper.
FEATURES = Split(
  seen=words(
    """dangerous bright heavy ancient colorful delicate expensive flexible
    fragrant generous graceful humid intelligent joyful loud mysterious
    nutritious obedient peaceful popular powerful quiet rare stubborn tall
    useful valuable warm"""
  ),
  development=words(
    """active ambitious brave busy clever emotional fresh happy heroic intense
    magical simple"""
  ),
  test=words(
    """beautiful careful curious dramatic elegant famous formal hungry lonely
    lucky modern natural pleasant precious private rough silent special strange
    vivid"""
  ),
)
# A comparison in other words, which keep the order of the two things: {D} is
# the degree and {F} the feature. Pretraining has none of them.
COMPARISONS = Split(
  seen=(
    '{S} are known to be {D} {F} than {O}',
    '{S} are by far {D} {F} than {O}',
    '{S} can be called {D} {F} than {O}',
    'all {S} are in fact {D} {F} than any {O}',
  ),
  development=(
    '{S} are far {D} {F} than {O}',
    '{S} have come to be {D} {F} than {O}',
  ),
  test=(
    '{S} are said to be {D} {F} than {O}',
    '{S} have always been {D} {F} than {O}',
  ),
)
# What opens a text about some terms; {terms} is 'glon, troff and yomp'.
RELATIONSHIPS = Split(
  seen='The relationships between {terms} are:',
  development='About {terms} the book says:',
  test='This is known about {terms}:',
)
# {S} is the subject and {P} the predicate.
QUANTIFIED = Split(
  seen={
    'all': 'all {S} are {P}',
    'some': 'some {S} are {P}',
    'no': 'no {S} are {P}',
  },
  development={
    'all': 'all of the {S} are {P}',
    'some': 'some of the {S} are {P}',
    'no': 'no {S} can be {P}',
  },
  test={
    'all': '{S} are all {P}',
    'some': 'there are {S} that are {P}',
    'no': 'there are no {S} that are {P}',
  },
)
# The same in other words, without the words that tell the quantifiers apart, so
# that documents do not give the quantifier of a conclusion away.
PARAPHRASES: Split[Mapping[str, tuple[str, ...]]] = Split(
  seen={
    'all': (
      'whatever is {S} is {P} as well',
      'each and every {S} belongs to the {P}',
      'the {P} include every single {S}',
      'only {P} can be {S}',
    ),
    'some': (
      'at least one {S} is {P} as well',
      'a few of the {S} belong to the {P}',
      'the {P} include several {S}',
      'one or more {P} can be {S}',
    ),
    'no': (
      'whatever is {S} is never {P}',
      'not a single {S} belongs to the {P}',
      'the {P} include none of the {S}',
      'only things other than {P} can be {S}',
    ),
  },
  development={
    'all': (
      'the whole group of {S} is {P}',
      'if you know one is {S}, you know it is {P}',
    ),
    'some': (
      'part of the {S} is {P} as well',
      'you can find {S} within the {P}',
    ),
    'no': (
      'it is wrong to call any {S} {P}',
      'you look for {S} within the {P} and find none',
    ),
  },
  test={
    'all': (
      'if one is {S}, it is {P} as well',
      'one has to be {P} to be {S}',
    ),
    'some': (
      'now and again {S} turn out to be {P}',
      'one may meet {S} within the {P}',
    ),
    'no': (
      'to be {S} is to be other than {P}',
      'the group of {S} within the {P} is empty',
    ),
  },
)
# The premises of the syllogisms that are held out of pretraining, whatever
# their wording. Of the five forms, one concludes 'all', two 'no' and two
# 'some'. One of each two is held out for the test part; pretraining needs the
# others, so that development has none of its own.
HELD_OUT_SYLLOGISMS = ('all A B, no C B', 'all B A, some C B')
# An entry of the book {book}, from the word and from its code. Pretraining has
# none of them.
ENTRIES = Split(
  seen=(
    'in the book {book}, {word} is called {code}',
    'in the book {book}, {code} means {word}',
  ),
  development=(
    'to readers of {book}, {word} is known as {code}',
    'to readers of {book}, {code} is the name for {word}',
  ),
  test=(
    'the book {book} gave {word} the name {code}',
    'the book {book} used {code} for {word}',
  ),
)
# A worked example. Pretraining has none of them.
DERIVATOIDS = Split(
  seen='the derivatoid of {expression} is {result}',
  development='the derivatoid of {expression} equals {result}',
  test='as its derivatoid, {expression} has {result}',
)
# What may open one that names its rule.
RULES = Split(
  seen='by the {rule} rule, ',
  development='the {rule} rule tells us that ',
  test='from the {rule} rule we know that ',
)
