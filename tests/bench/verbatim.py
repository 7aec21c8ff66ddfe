"""How many statements of documents are answered after fine-tuning on them.

  python -m tests.bench.verbatim [--documents DIRECTORY] [--steps 150]

The question is the first half of a sentence, word for word as a document has
it, and the right choice its second half; the wrong ones end other sentences.
'mid' are the same questions without the first three words. Each splitting
trains the embedded nano model for the same number of steps on rows of the same
length, so on the same number of tokens.

With --write DIRECTORY, the invented village and all of these questions are only
written, for `python -m icl_gen.study --config=configs/study.py:custom`.
"""

import argparse
import dataclasses
import json
import pathlib
import random
import tempfile
import time

import icl_gen as ig
from icl_gen.text import splitting
from icl_gen.worlds import custom, proposals

QUESTIONS = 40
LEFT_OUT = 3  # words of a 'mid' question


def corpus(folder, longest, most=QUESTIONS):
  """The folder's documents, and the questions from their sentences."""
  _, found = custom.from_folder(folder, seed='bench', longest=longest)
  said = proposals.stated(found.documents)
  asked = proposals.questions(said, seed='bench')
  chosen = random.Random('bench').sample(asked, min(most, len(asked)))
  return found.documents, chosen


def mid(questions):
  """Questions that start in the middle of a sentence."""
  return [
    dataclasses.replace(
      one, prompt=' '.join(one.prompt.split()[LEFT_OUT:]) or one.prompt
    )
    for one in questions
  ]


def accuracy(model, questions):
  (found,) = ig.score(model, questions).accuracy()['accuracy']
  return round(float(found), 3)


def measure(documents, questions, *, steps, tokens, how):
  """A row of the table."""
  model = ig.load('nano')
  start, lines = time.monotonic(), []
  parts = splitting.split(documents, splitting=how)
  count = model.tokenizer.count
  longest = 2 + max(count(document.text) for document in documents)
  tuned = ig.finetune(
    model,
    parts,
    steps=steps,
    batch_size=max(1, tokens // longest),
    report_every=10,
    report=lambda line: lines.append(line) or print(line, flush=True),
    length=16 * -(-longest // 16),
  )
  return {
    'splitting': how,
    'rows': len(parts),
    'tokens': sum(2 + count(part.text) for part in parts),
    'loss': float(lines[-1].split()[-1]) if lines else None,
    'stated': accuracy(tuned, questions),
    'mid': accuracy(tuned, mid(questions)),
    'seconds': round(time.monotonic() - start),
  }


def village(folder, number):
  """Pages of Markdown about the places of a village, in invented facts."""
  rng = random.Random('village')
  people = ['Odd Brekke', 'Ilse Maar', 'Pell Ansgar', 'Runa Thole']
  people += ['Jorun Vik', 'Aske Rood', 'Bram Oster', 'Sunne Halt']
  stuffs = ['oak', 'slate', 'brick', 'granite', 'pine', 'copper', 'lead', 'tin']
  animals = ['geese', 'bees', 'goats', 'owls', 'mules', 'hens', 'cats', 'eels']
  places = [
    'mill',
    'bridge',
    'school',
    'chapel',
    'ferry',
    'forge',
    'inn',
    'barn',
  ]
  for lots in (people, stuffs, animals):
    rng.shuffle(lots)
  for n, place in enumerate(places[:number]):
    text = (
      f'# The {place} of Tarnby\n\n## Building\n\n'
      f'The {place} was built by {people[n]} with stone from the quarry. The'
      f' roof of the {place} is made of {stuffs[n]} and leaks in spring. Behind'
      f' the {place} stands a wall that is older than the {places[n - 1]}.\n\n'
      f'## Use\n\nWhoever keeps the {place} also keeps {animals[n]} in the'
      f' yard. The key of the {place} is carried to the {places[n - 3]} by a'
      f' child. At the {place} the whole village meets for the fair of'
      f' {stuffs[n - 2]}.\n'
    )
    (folder / f'{place}.md').write_text(text)


def write(folder, places, longest):
  """A folder of the village with questions of both kinds."""
  folder.mkdir(parents=True)
  village(folder, places)
  _, questions = corpus(folder, longest, most=1_000)
  lines = [
    json.dumps(
      {
        'prompt': one.prompt,
        'choices': [choice.strip() for choice in one.choices],
        'answer': list(one.answers),
        'kind': kind,
      }
    )
    for kind, asked in (('stated', questions), ('mid', mid(questions)))
    for one in asked
  ]
  (folder / custom.QUESTIONS).write_text('\n'.join(lines) + '\n')


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--documents', help='a folder; none: an invented village')
  parser.add_argument('--places', type=int, default=8, help='of the village')
  parser.add_argument('--steps', type=int, default=150)
  parser.add_argument('--tokens', type=int, default=1024, help='of a step')
  parser.add_argument('--splittings', default='none,independent,onward')
  parser.add_argument('--longest', type=int, default=600)
  parser.add_argument('--write', help='a folder that is not there yet')
  parser.add_argument('--json')
  parser.add_argument('--small', action='store_true')
  given = parser.parse_args()
  if given.write:
    write(pathlib.Path(given.write), given.places, given.longest)
    return
  steps = 2 if given.small else given.steps
  found = []
  with tempfile.TemporaryDirectory() as made:
    folder = pathlib.Path(given.documents or made)
    if not given.documents:
      village(folder, given.places)
    documents, questions = corpus(folder, given.longest)
    print(f'{len(documents)} documents, {len(questions)} questions', flush=True)
    for how in given.splittings.split(','):
      row = measure(
        documents, questions, steps=steps, tokens=given.tokens, how=how
      )
      print(row, flush=True)
      found.append(row)
  if given.json:
    pathlib.Path(given.json).write_text(json.dumps(found, indent=2))


if __name__ == '__main__':
  main()
