"""The words of the report in plain English; a word without a line is absent."""

from collections.abc import Collection, Mapping

WORLDS = {
  'reversal': 'comparisons of two nonsense things, each told in one direction'
  ' only, e.g. that glon are more dangerous than troff; the other direction is'
  ' asked for.',
  'syllogism': 'two premises over three nonsense kinds, and what follows from'
  ' them.',
  'celebrity': 'people with a name and a description; some are told name first'
  ' only, some description first only, some in both orders.',
  'celebrity_files': 'the people of the reversal-curse paper, read from its'
  ' files.',
  'celebrity_hub': 'the people of the reversal-curse paper, read from the hub.',
  'semantic': 'a taxonomy in nonsense words: what is a kind of what, and which'
  ' properties and relations go down it.',
  'process': 'derivatoids: expressions worked out step by step, by rules that'
  ' are shown in examples and never told.',
  'codebook': 'words and their codes in several books; some entries are never'
  ' read back from code to word.',
  'custom': 'documents and questions of the user; what is true is not known.',
}

CONDITIONS = {
  'pretrained': 'the model as it is: it met no document of the world.',
  'icl': 'the same weights, with the documents before the question.',
  'ft': 'finetuned on the documents, which are then not shown.',
  'ft_aug': 'finetuned on the documents and on what the model itself inferred'
  ' from them in context, neither of which is then shown. It is trained on'
  ' every document that it generated, also on false and unparsed ones.',
}

# Plain kinds; a world's own are said where they mean something else in it.
KINDS = {
  'forward': 'what was told, asked in the direction in which it was told.',
  'forward_name': 'the same, for people who were told description first: the'
  ' name is asked for.',
  'rephrase': 'what was told, asked in other words.',
  'reversal': 'what was told, asked from its other end; no given document says'
  ' it in that direction.',
  'reversal_seen': 'asked from its other end, which some document does tell.',
  'syllogism': 'what follows from two statements.',
  'deduction': 'what follows from three statements or more.',
  'holdout': 'what follows for kinds of which only the kind above them was'
  ' told.',
  'seen': 'new expressions of combinations of rules that documents show.',
  'compositional': 'expressions of combinations of rules that no document'
  ' shows.',
}

STRATA = {
  'target_seen': 'the wrong names are of people whose names ended training'
  ' sentences, as the right name never did: a model that prefers what it was'
  ' trained to write does worse than chance.',
  'never_target': 'the wrong names are, like the right one, of people whose'
  ' names never ended a training sentence.',
  'p2d': 'about people who were told name first.',
  'd2p': 'about people who were told description first.',
  'property': 'a kind and what it has or is.',
  'relation': 'a kind and its relation to another kind.',
}

AUGMENTATIONS = {
  'local': 'the model was shown one document and asked to say it in other words'
  ' and the other way around.',
  'global': 'the model was shown the documents and asked what one of them means'
  ' together with the others.',
  'all': 'all of them together: what the model was finetuned on.',
}

MEASURES = {
  'sum': 'choices are compared by their summed log-probability.',
  'token': 'by log-probability per token.',
  'character': 'by log-probability per character.',
  'byte': 'by log-probability per UTF-8 byte.',
  'pmi': 'by log-probability minus that without the prompt.',
  'exact': 'no choices: whether what the model writes after the prompt,'
  ' greedily and by itself, is a right choice word for word; chance is 0.',
}

VERDICTS = {
  'entailed': 'what the document states follows from the given facts and is'
  ' none of them.',
  'stated': 'it states given facts only.',
  'unknown': 'some of what it states neither follows nor is excluded.',
  'contradicted': 'the world excludes something that it states.',
  'unparsed': 'no statement was recognised in it.',
  'unverified': 'the world has no known facts to judge it by.',
}

NOTIONS = {
  'cluster': 'the questions that hang on the same given facts, e.g. all'
  ' phrasings in which one person is asked for. They are right or wrong'
  ' together, so intervals and p-values count clusters, not questions.',
  'covered': 'said of a question if a generated document asserts the fact that'
  ' its right choice states.',
  'hops': 'how many rules one after the other lead from given facts to a'
  ' statement that is true and new; 1 for a reversal.',
}


def entries(
  words: Mapping[str, str], used: Collection[str]
) -> list[tuple[str, str]]:
  """The words that are used and have a line, in the glossary's order."""
  return [(word, line) for word, line in words.items() if word in used]
