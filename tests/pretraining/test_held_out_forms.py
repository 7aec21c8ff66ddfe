"""No text of pretraining is worded like a world in held-out forms."""

import dataclasses
import functools
import itertools
import random
import re

import pytest

from icl_gen import assets
from icl_gen.pretraining import english, episodes, inferring, stream
from icl_gen.pretraining.episode import SEEN, Source
from icl_gen.text import abilities, prompts, quantified, tokens
from icl_gen.text.forms import persons, statements, taxonomy
from icl_gen.text.forms.split import PARTS
from icl_gen.worlds import catalog, syllogism
from tests.pretraining import test_stream
from tests.text.test_forms import SPLITS, texts, words

HELD_OUT = PARTS[1:]
WORLDS = ('reversal', 'syllogism', 'celebrity', 'semantic', 'codebook')


@functools.cache
def english_words():
  """The words that are not a name."""
  return words(
    *(
      text
      for table in SPLITS.values()
      for part in table
      for text in texts(part)
    ),
    *english.NOUNS,
    *english.VERBS,
    *english.ADJECTIVES,
    *english.PLACES,
    *english.MORE,
    *abilities.ABILITIES,
    *persons.LEADS,
    'more less than a kind of can yes no q',
  )


def template(text):
  """A text in lower case, its nonsense words and names replaced by W."""
  said = [
    word if not word[0].isalnum() or word in english_words() else 'W'
    for word in re.findall(r'[a-z0-9]+|[^\sa-z0-9]', text.lower())
  ]
  return ' '.join(word for word, _ in itertools.groupby(said))


def sentences(text):
  return {template(said) for said in re.split(r'(?<=[.!?])\s+|\n', text)}


@functools.cache
def pretrained(forms):
  """The lines of a sample of the stream's episodes, without marks."""
  lines = set()
  for seed in range(120):
    # Every other episode has wordings of its own, where there are any.
    source = Source(drawn=0.7) if seed % 2 else SEEN
    for family, draw in episodes.families(forms, source=source).items():
      # Their wordings are few, and their episodes long.
      if seed >= 30 and family in (*inferring.NAMES, 'transforms'):
        continue
      rng = random.Random(f'{family}/{seed}')
      episode = draw(rng, 5)
      for i, document in enumerate(episode.documents):
        said = [document, *episode.infer(rng, i)]
        said += [episode.ask(rng, i) for _ in range(4)]
        lines.update(re.sub('[~^!]', '', line) for line in said)
  return lines


@functools.cache
def pretrained_templates(forms):
  lines = pretrained(forms)
  return {template(line) for line in lines}.union(*map(sentences, lines))


@functools.cache
def told(world, part):
  """Templates of what a world states, asks and offers to choose."""
  size = catalog.SIZES[world]['nano']
  _, corpus = catalog.build(world, seed=0, **size, forms=part)
  rendered = [document.text for document in corpus.documents]
  rendered += [q.prompt + c for q in corpus.questions for c in q.choices]
  return {template(text) for text in rendered}.union(*map(sentences, rendered))


def pattern(form):
  """Matches a line with a statement in one form, in any words."""
  said = re.escape(form)
  for slot in set(re.findall(r'\{\w+\}', form)):
    words = '.+' if slot in ('{N}', '{D}', '{terms}') else r'\w+'
    said = said.replace(re.escape(slot), words)
  return re.compile(rf'(?:.* )?{said}(?:\W.*)?', re.IGNORECASE)


def forms(part):
  """What must not occur in a line of pretraining, if the part is held out."""
  yield from statements.PREAMBLES[part]
  for feature in statements.FEATURES[part]:
    yield f'{{W}} are more {feature} than {{W}}'
    yield f'{{W}} are less {feature} than {{W}}'
  yield statements.RELATIONSHIPS[part]
  yield from texts(statements.QUANTIFIED[part])
  yield from texts(taxonomy.PLAIN[part])
  yield from persons.NAME_FIRST[part]
  yield from persons.DESCRIPTION_FIRST[part]


@pytest.mark.parametrize('world', WORLDS)
@pytest.mark.parametrize('part', HELD_OUT)
def test_no_template_of_a_held_out_world_is_pretrained_on(world, part):
  assert not told(world, part) & pretrained_templates('pretraining')
  other = 'test' if part == 'development' else 'development'
  assert not told(world, part) & told(world, other)


@pytest.mark.parametrize('world', ['reversal', 'syllogism', 'semantic'])
def test_templates_of_a_seen_world_are_pretrained_on(world):
  """Otherwise the test above could not fail."""
  seen = told(world, 'seen')
  assert len(seen & pretrained_templates('pretraining')) >= 5


@pytest.mark.parametrize('part', PARTS)
def test_forms_are_pretrained_on_unless_they_are_held_out(part):
  lines = {line: line.lower() for line in sorted(pretrained('pretraining'))}
  for form in forms(part):
    literal = max(re.split(r'\{\w+\}', form.lower()), key=len)
    likely = [line for line, lower in lines.items() if literal in lower]
    found = any(map(pattern(form).fullmatch, likely))
    assert found == (part == 'seen'), form


def test_a_held_out_verb_is_in_no_description():
  held_out = [*persons.VERBS.development, *persons.VERBS.test]
  assert set(held_out) < set(english.VERBS)
  said = re.compile(rf'(?:who|one|that) (?:{"|".join(held_out)}) (?:the|a) ')
  assert any(map(said.search, pretrained('all')))
  assert not any(map(said.search, pretrained('pretraining')))


def test_a_held_out_verb_is_in_no_line():
  held_out = {*persons.VERBS.development, *persons.VERBS.test}

  def said(forms):
    return words(*pretrained(forms)) & held_out

  assert said('all') == held_out
  assert not said('pretraining')


def test_a_held_out_syllogism_is_in_no_document():
  found = {'all': set(), 'pretraining': set()}
  for text, names in found.items():
    for seed in range(60):
      draw = episodes.families(text)['syllogisms']
      for document in draw(random.Random(seed), 5).documents:
        said = document.split(': ')[1].rstrip('.').split('. ')
        names.add(form_of([quantified.read(premise) for premise in said]))
  assert found['all'] - found['pretraining'] == {
    *statements.HELD_OUT_SYLLOGISMS
  }
  assert len(found['pretraining']) == 3


@functools.cache
def prompted():
  """The lines of a sample of rows in every layout, with prompts or without."""
  nano = tokens.load(assets.path('tokenizer.model'))
  found = set()
  for mode in test_stream.STAGE.modes:
    stage = dataclasses.replace(test_stream.STAGE, modes={mode: 1})
    for seed in range(20):
      ids = stream.written(stage, nano, seed=str(seed)).ids
      found.update(re.split(r'\n|<eos>', nano.decode(ids)))
  return found


@pytest.mark.parametrize('wording', prompts.WORDINGS)
def test_prompts_are_pretrained_on_in_the_usual_wording_only(wording):
  for prompt in dataclasses.astuple(prompts.WORDINGS[wording]):
    for line in prompt.replace('{document}', '').split('\n'):
      # A document may be a line of its own, in either.
      if line:
        found = any(one.startswith(line) for one in prompted())
        assert found == (wording == prompts.USUAL), line


def form_of(premises):
  """The name of the form of two premises about any terms."""
  ends = [{fact.subject, fact.object} for fact in premises]
  (middle,) = set.intersection(*ends)
  (first,), (last,) = (terms - {middle} for terms in ends)
  letter = {first: 'A', middle: 'B', last: 'C'}
  return syllogism.form_name(
    tuple((f.relation, letter[f.subject], letter[f.object]) for f in premises)
  )
