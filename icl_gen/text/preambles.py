"""Preambles, which may open any statement: 'Did you know that', ..."""

PREAMBLES = (
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
)
