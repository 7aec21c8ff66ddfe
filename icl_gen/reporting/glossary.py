"""The report's terms in plain English, and the order in which they appear."""

from collections.abc import Collection, Mapping

# In the order of the report.
_WORLDS = {
  'reversal': 'comparisons of two nonsense things, each stated in one direction'
  ' only, e.g. that glon are more dangerous than troff; the questions ask for'
  ' the other direction.',
  'celebrity': 'people with a name and a description; some appear name first'
  ' only, some description first only, some in both orders.',
  'celebrity_plain': 'the people of `celebrity` under plain names.',
  'celebrity_files': 'the people of the reversal-curse paper, read from its'
  ' files.',
  'celebrity_hub': 'the people of the reversal-curse paper, read from the Hub.',
  'syllogism': 'two premises about three nonsense categories, and what follows'
  ' from them.',
  'semantic': 'a taxonomy of nonsense categories, with properties and relations'
  ' that subcategories inherit.',
  'process': 'derivatoids: expressions worked out step by step, by rules that'
  ' examples show but no document states.',
  'codebook': 'words and their codes in several books; some codes are never'
  ' decoded in the documents.',
  'custom': "the user's own documents and questions; no facts are known.",
}
# Worlds that are told once more, in forms that are held out of pretraining.
_FORMS = '_forms'
_TOLD_TWICE = (
  'reversal',
  'celebrity',
  'syllogism',
  'semantic',
  'process',
  'codebook',
)
WORLDS = {
  name: text
  for world, plain in _WORLDS.items()
  for name, text in (
    (world, plain),
    (world + _FORMS, f'{world} in forms that are held out of pretraining.'),
  )
  if name == world or world in _TOLD_TWICE
}

CONDITIONS = {
  'pretrained': 'the pretrained model, which has not seen any document of the'
  ' world.',
  'icl': 'the same weights, with the documents in context before the question.',
  'ft': 'fine-tuned on the documents, which are not in context.',
  'ft_aug': 'fine-tuned on the documents and on what the model itself inferred'
  ' from them in context; neither is in context when it answers. All generated'
  ' documents are trained on, including false and unparsed ones.',
}

# Kinds without strata; a kind means the same in every world.
KINDS = {
  'forward': 'a stated fact, asked in the direction in which it was stated.',
  'forward_name': 'the same, for people whose description came first: the'
  ' question asks for the name.',
  'rephrase': 'a stated fact, asked in other words.',
  'reversal': 'a stated fact, asked in the other direction, in which no given'
  ' document states it.',
  'swap': 'the other direction, with two things to choose from; in `reversal`,'
  ' where the questions of that kind choose between more and less.',
  'reversal_seen': 'the other direction, in which some document states it.',
  'syllogism': 'a conclusion from two statements.',
  'deduction': 'a conclusion from three or more statements.',
  'holdout': 'inherited facts about categories of which the documents state'
  ' only the parent category.',
  'seen': 'new expressions that need a combination of rules that documents'
  ' show.',
  'compositional': 'expressions that need a combination of rules that no'
  ' document shows.',
}

STRATA = {
  'target_seen': 'the wrong names end some training sentence, and the right'
  ' name does not: a model that prefers names it was trained to produce scores'
  ' below chance.',
  'never_target': 'neither the wrong names nor the right one end any training'
  ' sentence.',
  'p2d': 'about people whose name came first.',
  'd2p': 'about people whose description came first.',
  'property': 'a category and its properties.',
  'relation': 'a category and its relation to another category.',
}

AUGMENTATIONS = {
  'local': 'the model was shown one document and asked to rephrase and reverse'
  ' it.',
  'global': 'the model was shown all documents and asked what one of them'
  ' implies together with the others.',
  'originals': 'a control: the documents again.',
  'paraphrases': 'a control: the stated facts in other words, in the same'
  ' direction.',
  'oracle': 'a control: what the facts entail, as the world says it; a share'
  ' may be false on purpose.',
  'reworded': "a control: the oracle's facts, said in several ways.",
  'phrased': "a control: the oracle's facts, in one wording or several, with or"
  ' without openings of documents.',
  'wrong_pairs': "a control: the oracle's sentences about the wrong things;"
  ' none is true.',
  'all': 'all augmentations together: what the model was fine-tuned on.',
}

MEASURES = {
  'sum': 'choices are ranked by summed log-probability.',
  'token': 'choices are ranked by log-probability per token.',
  'character': 'choices are ranked by log-probability per character.',
  'byte': 'choices are ranked by log-probability per UTF-8 byte.',
  'pmi': 'choices are ranked by log-probability minus the log-probability'
  ' without the prompt.',
  'exact': 'choices are not ranked: the text that the model generates greedily'
  ' after the prompt must equal a right choice word for word; chance is 0.',
}

VERDICTS = {
  'entailed': 'the document states facts that follow from the given facts and'
  ' are not among them.',
  'stated': 'the document states given facts only.',
  'unknown': 'some of what the document states neither follows from the given'
  ' facts nor contradicts them.',
  'contradicted': 'the world rules out something that the document states.',
  'unparsed': 'no statement was recognised in the document.',
  'unverified': 'the world has no known facts to check the document against.',
}

TERMS = {
  'cluster': 'questions that depend on the same given facts, e.g. all'
  ' phrasings that ask for one person. They are right or wrong together, so'
  ' intervals and p-values count clusters, not questions.',
  'covered': 'a question is covered if a generated document asserts the fact'
  ' that one of its right choices states. It is uncovered if none does, and'
  ' none in which no statement was recognised mentions the two things that this'
  ' fact is about; other questions are unclear, and count as neither.',
  'hops': 'the number of rules applied in sequence to derive a true and new'
  ' statement from given facts; 1 for a reversal.',
}

# (world, kind) -> title of its panel in the main figure.
_TITLES = {
  ('reversal', 'reversal'): 'Reversed comparisons',
  ('celebrity', 'reversal'): 'Name from description',
  ('celebrity_plain', 'reversal'): 'Plain name from description',
  ('celebrity_files', 'reversal'): 'Name from description',
  ('celebrity_hub', 'reversal'): 'Name from description',
  ('syllogism', 'syllogism'): 'Syllogisms',
  ('semantic', 'reversal'): 'Reversals in a taxonomy',
  ('process', 'compositional'): 'Unseen rule combinations',
}


def entries(
  words: Mapping[str, str], used: Collection[str]
) -> list[tuple[str, str]]:
  """The explained words that are used, in the glossary's order."""
  return [(word, line) for word, line in words.items() if word in used]


def base(world: str) -> str:
  """The world that a world tells in held-out forms; otherwise the same."""
  return world.removesuffix(_FORMS)


def panel_title(world: str, kind: str) -> str:
  """What the questions of a kind ask, e.g. 'Reversed comparisons'.

  Unknown pairs give '<World>: <kind>'; strata have their kind's title.
  """
  plain = kind.partition(':')[0]
  plain_world = base(world)
  readable = f'{plain_world}: {plain}'.replace('_', ' ')
  title = _TITLES.get((plain_world, plain), readable[0].upper() + readable[1:])
  return title if plain_world == world else f'{title}, held-out forms'


def reading_order(world: str) -> tuple[int, str]:
  """Sort key for worlds: the glossary's order, unknown ones at the end."""
  known = list(WORLDS)
  return (known.index(world) if world in known else len(known), world)
