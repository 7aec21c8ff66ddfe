"""Whether models know the facts of their pretraining, in either order.

  python -m tests.bench.told out/causal

For every model that a study pretrained (configs/causal.py): accuracy on the
facts about persistent entities that its text told, without any context, in the
order in which they are told if it is only one ('told'), and in the other one
('turned'). Both choices are as long; chance is 50 %.
"""

import argparse
import pathlib

import icl_gen as ig
from icl_gen.pretraining import compared, told
from icl_gen.reporting.formatting import interval, markdown_table, percent
from icl_gen.storage import files


def question(fact, kind):
  """Which degree a comparison has; `fact` has the right one."""
  one, degree, feature, other = fact
  degrees = ('more', 'less')
  return ig.question(
    f'The book tells us that {one} are',
    [f' {each} {feature} than {other}.' for each in degrees],
    answer=degrees.index(degree),
    kind=kind,
  )


def questions(facts):
  """Each fact in both orders."""
  return [
    question(one, kind)
    for fact in facts
    for kind, one in (('told', fact), ('turned', compared.reverse(fact)))
  ]


def row(name, model, facts):
  """A row of the table: accuracies in per cent, with their intervals."""
  found = ig.score(model, questions(facts)).accuracy()
  cells = {
    kind: f'{percent(one["accuracy"])} {interval(one["low"], one["high"])}'
    for kind, one in found.iterrows()
  }
  return {'model': name, 'facts': str(len(facts)), **cells}


def rows(root):
  """A row for every complete pretraining of a study's directory."""
  for weights in sorted(root.glob('pretrain/*/params')):
    directory = weights.parent
    settings = files.read_sealed_json(directory / 'pretrain.config.json')
    model = ig.load(
      settings['model'],
      checkpoint=str(weights),
      tokenizer=str(directory / 'tokenizer.model'),
    )
    facts = told.facts(told.Told(**settings['entities']))
    yield row(directory.name, model, facts)


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument(
    'root', nargs='?', type=pathlib.Path, help='directory of a study'
  )
  parser.add_argument('--small', action='store_true')
  given = parser.parse_args()
  if given.small:  # facts that the embedded model has never read
    facts = told.facts(told.Told(facts=8, share=1.0))
    print(markdown_table([row('nano', ig.load('nano'), facts)]))
    return
  found = list(rows(given.root)) if given.root else []
  if not found:
    parser.error('give the directory of a study that pretrained its models')
  print(markdown_table(found))


if __name__ == '__main__':
  main()
