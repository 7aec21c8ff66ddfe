"""The report as one self-contained HTML page, and its results in Markdown.

Wording and markup are in page.html.j2, which escapes every value.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jinja2

from icl_gen.reporting import (
  cautions,
  glossary,
  judgements,
  results_table,
  runs,
)
from icl_gen.reporting.answers import MEAN
from icl_gen.reporting.assembly import Report, shown
from icl_gen.reporting.contrasts import RECALL, Contrast
from icl_gen.reporting.explorer import Explorer
from icl_gen.reporting.formatting import (
  fixed,
  interval,
  markdown_table,
  p_value,
  percent,
  points,
)
from icl_gen.reporting.grid import Point
from icl_gen.reporting.records import (
  CONDITIONS,
  VERDICTS,
  AugmentationRecord,
  hops,
  verdict,
)
from icl_gen.reporting.results_table import Row
from icl_gen.reporting.statistics import MEASURES, NORMALISATIONS
from icl_gen.types import Document

# Shown per world, model, augmentation kind and verdict.
SAMPLES = 2


def page(
  report: Report,
  *,
  settings: Mapping[str, Any],
  commands: Sequence[str],
  explorer: Explorer | None = None,
) -> str:
  """The page as HTML text; equal arguments give equal text.

  Args:
    report: the report's contents.
    settings: the study's settings; may be nested, JSON values.
    commands: shell commands that reproduce the study, in order.
    explorer: data of the question explorer; None: there is none.
  """
  environment = jinja2.Environment(
    loader=jinja2.PackageLoader('icl_gen.reporting', '.'),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
  )
  environment.filters['digest'] = _digest
  used = [m for m in MEASURES if m in {r.normalisation for r in report.results}]
  return environment.get_template('page.html.j2').render(
    report=report,
    explorer=explorer,
    embedded=cautions.NANO,
    images={
      name: base64.b64encode(data).decode('ascii')
      for name, data in report.figures.items()
    },
    worlds=[
      name.removeprefix('world_').removesuffix('.png')
      for name in report.figures
      if name.startswith('world_')
    ],
    ablations=[n for n in report.figures if n.startswith('ablation_')],
    claims=judgements.of_claims(report),
    predictions=judgements.of_predictions(report),
    glossary=_glossary(report),
    results={measure: results_table.rows(report, measure) for measure in used},
    grids=_grids(report),
    pretrained=_pretrained(report),
    development=runs.DEVELOPMENT,
    differences=_differences(report),
    contrasts=_contrasts(report),
    quality=_quality(report),
    coverage=_coverage(report),
    costs=_costs(report),
    prices=_prices(report),
    samples=_samples(report.records),
    normalisations=tuple(NORMALISATIONS),
    samples_shown=SAMPLES,
    settings=[{'setting': k, 'value': v} for k, v in _flat(settings)],
    commands=commands,
  )


def _digest(script: str) -> str:
  """A script as a content security policy names it."""
  sha256 = hashlib.sha256(script.encode('utf-8')).digest()
  return f'sha256-{base64.b64encode(sha256).decode("ascii")}'


def results_markdown(report: Report) -> str:
  """Means over the seeds as one Markdown table.

  Where no questions were asked, it says what was generated.
  """
  if not report.results:
    rows = _quality(report)
    return markdown_table(rows) if rows else 'No documents were generated.\n'
  return markdown_table(results_table.rows(report, report.normalisation))


def _grids(report: Report) -> dict[str, list[Row]]:
  """World -> one row per run, wherever there are several; kinds as columns."""
  tables: dict[str, list[Row]] = {}
  for world in dict.fromkeys(point.world for point in report.grid):
    of_world = [point for point in report.grid if point.world == world]
    # What the rule sees comes first.
    asked = sorted({(point.role, point.kind) for point in of_world})
    rows: dict[tuple[str, str, str], dict[str, Point]] = {}
    for point in of_world:
      key = point.model, point.condition, point.run
      rows.setdefault(key, {})[point.kind] = point
    tables[world] = [
      _grid_row(found, [kind for _, kind in asked], choose=report.choose)
      for found in rows.values()
    ]
  return tables


def _pretrained(report: Report) -> list[Row]:
  """One row per way of pretraining, world and kind; conditions as columns."""
  rows = [
    row
    for row in report.results
    if row.normalisation == report.normalisation and ':' not in row.kind
  ]
  return [
    {**values, **results_table.of_kind(found, {}, are_named=False)}
    for run, values in report.factors.items()
    for place in sorted({(r.world, r.model, r.kind) for r in rows})
    if (
      found := [
        r for r in rows if (r.world, r.model, r.kind, r.run) == (*place, run)
      ]
    )
  ]


def _grid_row(
  found: Mapping[str, Point], kinds: Sequence[str], *, choose: bool
) -> Row:
  point = next(iter(found.values()))
  row = {
    'model': point.model,
    'condition': CONDITIONS[point.condition],
    'run': runs.label(point.run),
  }
  if choose:
    marks = {'yes': 'chosen', 'no': '', '': 'no development questions'}
    row['chosen'] = marks[point.chosen]
  for kind in kinds:
    one = found.get(kind)
    title = f'{kind} (development)' if _is_seen(kind) else kind
    row[title] = results_table.accuracy(one) if one else 'not asked'
    if _is_seen(kind):
      row[f'loss of {kind}'] = fixed(one.loss, places=3) if one else ''
  return row


def _is_seen(kind: str) -> bool:
  """Whether the rule of choice sees questions of a kind."""
  return kind.partition(':')[0] in runs.DEVELOPMENT


def _differences(report: Report) -> list[Row]:
  return _rows(
    list(report.adjusted),
    lambda row: {
      'kind': row.kind,
      'comparison': ' \N{MINUS SIGN} '.join(
        CONDITIONS[side] for side in row.comparison.split('-')
      ),
      'difference': f'{points(row.difference)} {interval(row.low, row.high)}',
      'p': p_value(report.adjusted[row]),
      'questions': str(row.questions),
      'clusters': str(row.clusters),
    },
  )


def _contrasts(report: Report) -> list[Row]:
  """Pairs of runs, models or worlds, without strata."""
  return [
    {
      'world': row.world,
      'model': row.model,
      'condition': CONDITIONS[row.condition],
      'kind': row.kind,
      'of': runs.label(row.first),
      'compared with': _second(row),
      'accuracy': percent(row.accuracy),
      'difference': f'{points(row.difference)} {interval(row.low, row.high)}',
      'questions': str(row.questions),
    }
    for row in report.contrasts
    if row.normalisation == report.normalisation and ':' not in row.kind
  ]


def _second(row: Contrast) -> str:
  is_condition = row.between == RECALL
  return CONDITIONS[row.second] if is_condition else runs.label(row.second)


def _quality(report: Report) -> list[Row]:
  return _rows(
    report.quality,
    lambda row: {
      'augmentation': row.augmentation,
      'documents': fixed(row.documents, places=1),
      'true': f'{percent(row.true)} {interval(row.true_low, row.true_high)}',
      VERDICTS['entailed']: (
        f'{percent(row.new)} {interval(row.new_low, row.new_high)}'
      ),
      VERDICTS['contradicted']: percent(row.contradicted),
      VERDICTS['unknown']: percent(row.unknown),
      VERDICTS['unparsed']: percent(row.unparsed),
      VERDICTS['unverified']: percent(row.unverified),
      'hops:documents': row.hops,
    },
  )


def _coverage(report: Report) -> list[Row]:
  return _rows(
    shown(
      report.coverage,
      main_kinds=report.main_kinds,
      normalisation=report.normalisation,
    ),
    lambda row: {
      'augmentation': row.augmentation,
      'kind': row.kind,
      'questions': fixed(row.questions, places=1),
      'without target': fixed(row.untargeted, places=1),
      'covered': percent(row.coverage),
      'unclear': percent(row.unclear),
      'accuracy if covered': f'{percent(row.covered_accuracy)}'
      f' {interval(row.covered_low, row.covered_high)}',
      'accuracy if uncovered': f'{percent(row.uncovered_accuracy)}'
      f' {interval(row.uncovered_low, row.uncovered_high)}',
    },
  )


def _costs(report: Report) -> list[Row]:
  return _rows(
    report.costs,
    lambda row: {'cost': row.cost, 'value': fixed(row.value, places=1)},
  )


def _prices(report: Report) -> list[Row]:
  return _rows(
    shown(
      report.prices,
      main_kinds=report.main_kinds,
      normalisation=report.normalisation,
    ),
    lambda row: {
      'kind': row.kind,
      'gain': f'{points(row.gain)} {interval(row.low, row.high)}',
      'won': fixed(row.won, places=1),
      'lost': fixed(row.lost, places=1),
      'tokens per point': _range(
        row.tokens_per_point,
        row.tokens_per_point_low,
        row.tokens_per_point_high,
      ),
      'seconds per point': _cost(row.seconds_per_point),
      'tokens per question won': _cost(row.tokens_per_question),
      'seconds per question won': _cost(row.seconds_per_question),
    },
  )


def _range(value: float | None, low: float | None, high: float | None) -> str:
  """A cost with what it is at the ends of the gain's interval."""
  if value is None:
    return 'no gain'
  return f'{_cost(value)} [{_cost(low)}, {_cost(high) if high else "no gain"}]'


def _cost(value: float | None) -> str:
  return 'no gain' if value is None else f'{value:,.3g}'


def _rows(records: Sequence[Any], columns: Callable[[Any], Row]) -> list[Row]:
  """One row per mean over the seeds: world, model, run, and the columns.

  The run is left out if none has a name.
  """
  are_named = any(record.run for record in records)
  return [
    {'world': record.world, 'model': record.model}
    | ({'run': runs.label(record.run)} if are_named else {})
    | columns(record)
    for record in records
    if record.seed == MEAN
  ]


def _samples(records: Sequence[AugmentationRecord]) -> list[Row]:
  """Up to `SAMPLES` documents per world, model, augmentation and verdict."""
  groups: dict[tuple, list[tuple[str, int, Document]]] = {}
  for record in records:
    for document in record.documents:
      key = (
        record.world,
        record.model,
        document.origin.kind,
        list(VERDICTS).index(verdict(document)),
      )
      # Ranked by a hash: one group's sample does not depend on the others.
      rank = hashlib.sha256(f'{record.name}/{document.id}'.encode()).hexdigest()
      groups.setdefault(key, []).append((rank, record.seed, document))
  return [
    {
      'world': world,
      'model': model,
      'augmentation': augmentation,
      'seed': str(seed),
      'verdict': _verdict_label(document),
      'text': document.text,
    }
    for (world, model, augmentation, _), found in sorted(groups.items())
    for _, seed, document in sorted(found, key=lambda f: f[0])[:SAMPLES]
  ]


def _verdict_label(document: Document) -> str:
  found = verdict(document)
  if found != 'entailed':
    return VERDICTS[found]
  number = hops(document)
  return f'{VERDICTS[found]} ({number} hop{"s" * (number != 1)})'


def _glossary(report: Report) -> dict[str, list[tuple[str, str]]]:
  """Title -> the words that the report uses, each with its explanation."""
  kinds = {r.kind for r in report.results} | {r.kind for r in report.coverage}
  conditions = {
    CONDITIONS[name]: f'{line} In the CSV files: {name}.'
    for name, line in glossary.CONDITIONS.items()
  }
  verdicts = {VERDICTS[name]: line for name, line in glossary.VERDICTS.items()}
  sections = {
    'Worlds': glossary.entries(
      glossary.WORLDS, {row.world for row in report.results}
    ),
    'Conditions': list(conditions.items()),
    'Kinds of questions': glossary.entries(
      glossary.KINDS, {kind.partition(':')[0] for kind in kinds}
    ),
    'Strata': glossary.entries(
      glossary.STRATA, {kind.partition(':')[2] for kind in kinds}
    ),
    'Augmentations': glossary.entries(
      glossary.AUGMENTATIONS, {row.augmentation for row in report.quality}
    ),
    'Verdicts on generated documents': (
      list(verdicts.items()) if report.quality else []
    ),
    'Measures': glossary.entries(
      glossary.MEASURES, {row.normalisation for row in report.results}
    ),
    'Other terms': list(glossary.TERMS.items()),
  }
  return {title: found for title, found in sections.items() if found}


def _flat(
  settings: Mapping[str, Any], prefix: str = ''
) -> Iterator[tuple[str, str]]:
  """Nested settings as dotted names and texts, sorted by name."""
  for name in sorted(settings, key=str):
    value = settings[name]
    if isinstance(value, Mapping):
      yield from _flat(value, f'{prefix}{name}.')
    elif isinstance(value, str):
      yield f'{prefix}{name}', value
    else:
      yield f'{prefix}{name}', json.dumps(value, ensure_ascii=False)
