"""The tables of the page: rows and records as HTML, escaped."""

import hashlib
from collections.abc import Sequence

from icl_gen.reporting import glossary as explained
from icl_gen.reporting.assembly import Contents
from icl_gen.reporting.records import (
  CONDITIONS,
  VERDICTS,
  AugmentationRecord,
  hops,
  verdict,
)
from icl_gen.reporting.render import (
  definitions,
  fixed,
  html_table,
  interval,
  p_value,
  paragraph,
  percent,
  points,
)
from icl_gen.reporting.tables import MEAN, asked
from icl_gen.types import Document

# Shown per world, model, augmentation kind and verdict.
SAMPLES = 2


def results_rows(told: Contents, normalisation: str):
  """Header and rows of means, conditions side by side."""
  chosen = [r for r in told.results if r.normalisation == normalisation]
  header = ['world', 'model', 'kind', 'questions', 'chance']
  rows = []
  for key in sorted({(r.world, r.model, r.kind) for r in chosen}):
    here = [r for r in chosen if (r.world, r.model, r.kind) == key]
    means = {r.condition: r for r in here if r.seed == MEAN}
    chances = {percent(r.chance) for r in means.values()}
    rows.append(
      [
        *key,
        # The column's title says of what; a wider table would be cut off.
        asked(here).replace(' questions', ''),
        ' to '.join(sorted(chances)),
        *(_accuracy(means.get(condition)) for condition in CONDITIONS),
      ]
    )
  return header + list(CONDITIONS.values()), rows


def _accuracy(row) -> str:
  if row is None:
    return 'not run'
  return f'{percent(row.accuracy)} {interval(row.low, row.high)}'


def differences(told: Contents) -> str:
  """Paired differences over all seeds."""
  rows = [
    [
      row.world,
      row.model,
      row.kind,
      ' \N{MINUS SIGN} '.join(
        CONDITIONS[side] for side in row.comparison.split('-')
      ),
      f'{points(row.difference)} {interval(row.low, row.high)}',
      p_value(row.p_value),
      str(row.questions),
      str(row.clusters),
    ]
    for row in told.comparisons
    if (row.seed, row.normalisation) == (MEAN, told.normalisation)
    and (':' not in row.kind or row.kind == told.main_kinds[row.world])
  ]
  if not rows:
    return paragraph('No two conditions answered the same questions.')
  header = [
    'world',
    'model',
    'kind',
    'comparison',
    'difference',
    'p',
    'questions',
    'clusters',
  ]
  caption = (
    'Differences in percentage points on the same questions, means over seeds,'
    ' with 95 % intervals; p from the exact sign test: every cluster of'
    ' questions counts once, by the sign of the sum of its differences.'
    ' Questions are summed over the seeds; a cluster that recurs under several'
    ' seeds is one.'
  )
  note = 'Other strata, single seeds and other measures: differences.csv.'
  return html_table(header, rows, caption=caption) + paragraph(note)


def glossary(told: Contents) -> str:
  """The words that the report uses, in plain English."""
  kinds = {row.kind for row in told.results} | {r.kind for r in told.coverages}
  conditions = {
    CONDITIONS[name]: f'{line} In the CSV files: {name}.'
    for name, line in explained.CONDITIONS.items()
  }
  parts = [
    ('Worlds', explained.WORLDS, {row.world for row in told.results}),
    ('Conditions', conditions, conditions),
    ('Kinds of questions', explained.KINDS, {k.split(':')[0] for k in kinds}),
    ('Strata', explained.STRATA, {k.partition(':')[2] for k in kinds}),
    (
      'Augmentations',
      explained.AUGMENTATIONS,
      {row.augmentation for row in told.worths},
    ),
    (
      'Verdicts on generated documents',
      {VERDICTS[name]: line for name, line in explained.VERDICTS.items()},
      set(VERDICTS.values()) if told.worths else set(),
    ),
    (
      'Measures',
      explained.MEASURES,
      {row.normalisation for row in told.results},
    ),
    ('Other words', explained.NOTIONS, explained.NOTIONS),
  ]
  return ''.join(
    definitions(title, found)
    for title, words, used in parts
    if (found := explained.entries(words, used))
  )


def verdicts(told: Contents) -> str:
  """What the audit said of the generated documents."""
  rows = [
    [
      row.world,
      row.model,
      row.augmentation,
      fixed(row.documents, places=1),
      f'{percent(row.true)} {interval(row.true_low, row.true_high)}',
      f'{percent(row.new)} {interval(row.new_low, row.new_high)}',
      percent(row.contradicted),
      percent(row.unknown),
      percent(row.unparsed),
      percent(row.unverified),
      row.hops,
    ]
    for row in told.worths
    if row.seed == MEAN
  ]
  header = [
    'world',
    'model',
    'augmentation',
    'documents',
    'true',
    'true and new',
    'false',
    'unknown',
    'not parsed',
    'not verifiable',
    'hops:documents',
  ]
  caption = (
    'Generated documents by verdict, in per cent, means over seeds; documents'
    ' is their mean number. hops:documents counts, over all seeds together,'
    ' those that are true and new.'
  )
  return html_table(header, rows, caption=caption)


def coverage(told: Contents) -> str:
  """Which questions were covered, and what became of them."""
  rows = [
    [
      row.world,
      row.model,
      row.augmentation,
      row.kind,
      fixed(row.questions, places=1),
      fixed(row.untargeted, places=1),
      percent(row.coverage),
      f'{percent(row.covered_accuracy)}'
      f' {interval(row.covered_low, row.covered_high)}',
      f'{percent(row.uncovered_accuracy)}'
      f' {interval(row.uncovered_low, row.uncovered_high)}',
    ]
    for row in told.coverages
    if (row.seed, row.normalisation) == (MEAN, told.normalisation)
    and (':' not in row.kind or row.kind == told.main_kinds[row.world])
  ]
  header = [
    'world',
    'model',
    'augmentation',
    'kind',
    'questions',
    'without target',
    'covered',
    'accuracy if covered',
    'accuracy if not',
  ]
  caption = (
    'Test questions whose target a generated document asserts, and accuracy'
    ' after augmented finetuning on either side, in per cent, means over'
    ' seeds. Questions differ, so this is no controlled comparison.'
  )
  return html_table(header, rows, caption=caption)


def costs(told: Contents) -> str:
  """What generating cost."""
  rows = [
    [row.world, row.model, row.cost, fixed(row.value, places=1)]
    for row in told.costs
    if row.seed == MEAN
  ]
  if not rows:
    return paragraph('No costs were recorded.')
  caption = 'What generating cost, means over seeds.'
  return html_table(['world', 'model', 'cost', 'value'], rows, caption=caption)


def samples(records: Sequence[AugmentationRecord]) -> str:
  """Some generated documents with their verdicts, drawn by name."""
  groups: dict[tuple, list[tuple[str, int, Document]]] = {}
  for record in records:
    for document in record.documents:
      key = (
        record.world,
        record.model,
        document.origin.kind,
        list(VERDICTS).index(verdict(document)),
      )
      # Drawn by name: the sample of one group does not depend on the others.
      rank = hashlib.sha256(f'{record.name}/{document.id}'.encode()).hexdigest()
      groups.setdefault(key, []).append((rank, record.seed, document))
  if not groups:
    return paragraph('No generated documents were given.')
  rows = [
    [*key[:3], str(seed), _verdict_words(document), document.text]
    for key, found in sorted(groups.items())
    for _, seed, document in sorted(found, key=lambda f: f[0])[:SAMPLES]
  ]
  header = ['world', 'model', 'augmentation', 'seed', 'verdict', 'text']
  caption = (
    f'Up to {SAMPLES} documents per world, model, augmentation and verdict,'
    ' drawn by the hash of their names.'
  )
  table = html_table(header, rows, caption=caption)
  return f'<div class="samples">\n{table}</div>\n'


def _verdict_words(document: Document) -> str:
  found = verdict(document)
  if found != 'entailed':
    return VERDICTS[found]
  number = hops(document)
  return f'{VERDICTS[found]} ({number} hop{"s" * (number != 1)})'
