"""One self-contained HTML page that tells a study; computes nothing."""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from icl_gen.reporting import page_frame, page_tables
from icl_gen.reporting.assembly import Contents, summary
from icl_gen.reporting.render import html_table, markdown_table, paragraph
from icl_gen.reporting.statistics import EXACT, NORMALISATIONS, RESAMPLES


def page(
  told: Contents,
  *,
  settings: Mapping[str, Any],
  commands: Sequence[str],
) -> str:
  """The page as HTML text; equal arguments give equal text.

  Args:
    told: the report's contents.
    settings: what the study was run with; may be nested, JSON values.
    commands: shell commands that make the study again, in order.
  """
  sections = [
    _section('What is seen', _summary(told) + _missing(told)),
    _section('Main figure', _main_figure(told)),
    _section('Words used here', page_tables.glossary(told)),
    _section('Results', _results(told)),
    _section('Paired differences', page_tables.differences(told)),
    _section('What the augmentations were worth', _worth(told)),
    _section(
      'A sample of generated documents', page_tables.samples(told.records)
    ),
    _section('Every kind of question', _worlds(told)),
    _section('How the numbers were made', _method(told)),
    _section('Settings', _settings(settings)),
    _section('Making it again', _commands(commands)),
  ]
  return page_frame.PAGE.format(
    style=page_frame.STYLE, body='\n'.join(sections), script=page_frame.SCRIPT
  )


def results_markdown(told: Contents) -> str:
  """Means over the seeds as one Markdown table."""
  header, rows = page_tables.results_rows(told, told.normalisation)
  return markdown_table(header, rows)


def _section(title: str, body: str) -> str:
  return f'<section>\n<h2>{html.escape(title)}</h2>\n{body}</section>'


def _list(items: Sequence[str]) -> str:
  lines = '\n'.join(f'<li>{html.escape(item)}</li>' for item in items)
  return f'<ul>\n{lines}\n</ul>\n'


def _summary(told: Contents) -> str:
  note = 'Means over seeds, with 95 % intervals in brackets.'
  return _list(summary(told)) + paragraph(note)


def _missing(told: Contents) -> str:
  if not told.missing:
    return paragraph('Nothing is missing.')
  title = '<h3>What is missing</h3>\n'
  return f'<div class="missing">\n{title}{_list(told.missing)}</div>\n'


def _figure(told: Contents, name: str, *, alt: str, caption: str) -> str:
  data = base64.b64encode(told.figures[name]).decode('ascii')
  return (
    f'<figure><img src="data:image/png;base64,{data}"'
    f' alt="{html.escape(alt)}">\n'
    f'<figcaption>{html.escape(caption)}</figcaption></figure>\n'
  )


def _main_figure(told: Contents) -> str:
  alt = 'Bars of accuracy by world and condition. ' + ' '.join(summary(told))
  caption = (
    'Accuracy on one kind of question of each world, under every condition.'
    ' Bars are means over seeds, dots the seeds, lines 95 % intervals.'
  )
  return _figure(told, 'main.png', alt=alt, caption=caption)


def _results(told: Contents) -> str:
  names = dict.fromkeys(
    (*NORMALISATIONS, *(r.normalisation for r in told.results))
  )
  options = '\n'.join(
    f'<option value="{name}"{" selected" * (name == told.normalisation)}>'
    f'{name}</option>'
    for name in names
  )
  switch = (
    '<p class="switch" hidden><label>Judged by'
    f' <select id="normalisation">\n{options}\n</select></label></p>\n'
  )
  parts = []
  for name in names:
    header, rows = page_tables.results_rows(told, name)
    how = f'choices compared by {name}'
    if name == EXACT:
      how = 'exact match of what the model wrote by itself, greedily'
    caption = (
      f'Accuracy in per cent and 95 % interval, means over seeds; {how}.'
    )
    table = html_table(header, rows, caption=caption)
    parts.append(f'<div data-normalisation="{name}">\n{table}</div>\n')
  note = 'The rows of every seed and measure are in results.csv.'
  return switch + ''.join(parts) + paragraph(note)


def _worth(told: Contents) -> str:
  if not told.worths:
    return paragraph('No generated documents were given.')
  alt = (
    'Shares of verdicts on generated documents, and accuracy on covered and'
    ' uncovered questions; the numbers are in the tables below.'
  )
  caption = (
    'Left: verdicts on the generated documents, means over seeds. Right:'
    ' accuracy of the model finetuned on all of them, on questions that the'
    ' documents of the row cover and on those that they do not; the questions'
    ' of the two sides differ.'
  )
  return (
    paragraph(
      'The model was finetuned on every document that it generated, also on'
      ' those that are false or in which no statement was recognised: the'
      ' verdicts were only counted.'
    )
    + _figure(told, 'augmentation.png', alt=alt, caption=caption)
    + page_tables.verdicts(told)
    + page_tables.coverage(told)
    + page_tables.costs(told)
  )


def _worlds(told: Contents) -> str:
  parts = []
  for name in told.figures:
    if name.startswith('world_'):
      world = name.removeprefix('world_').removesuffix('.png')
      alt = (
        f'Bars of accuracy in world {world} by kind of question and condition;'
        ' the numbers are in the table of results.'
      )
      caption = (
        f'{world}: accuracy by kind of question and condition. Bars are means'
        ' over seeds, dots the seeds, lines 95 % intervals.'
      )
      figure = _figure(told, name, alt=alt, caption=caption)
      parts.append(f'<h3>{html.escape(world)}</h3>\n{figure}')
  return ''.join(parts)


def _method(told: Contents) -> str:
  ties = ', '.join(f'{name} {told.ties[name]}' for name in NORMALISATIONS)
  return _list(
    [
      'A question is answered right if the choice with the highest value is'
      ' one of its answers. Values: sum log p; token, character, byte: log p'
      ' per token, per character, per UTF-8 byte of the choice; pmi: log p'
      ' minus log p without the prompt.'
      f' Figures and summary use {told.normalisation}.',
      f'Ties between best choices are broken by the lowest index; of'
      f' {told.answered} answers tied were: {ties}.',
      'Questions that hang on the same given facts (or are the same question,'
      ' where no facts are known) are one cluster, also if they are asked under'
      ' several seeds. What generated documents were made from is theirs.',
      f'Intervals: 95 % percentile bootstrap, {RESAMPLES} resamples: clusters'
      ' within a cell, each with all its questions; seeds, then clusters for a'
      ' mean over seeds, one draw for the seeds that share a cluster. With all'
      ' questions right or all wrong such an interval has no width, although'
      ' the truth may lie up to 3 / clusters away.',
      'p-values: exact two-sided sign test on the clusters in which the two'
      ' conditions differ; without repeated questions it is the exact McNemar'
      ' test. They speak of the seeds that were run (intervals allow for others'
      ' too) and are not corrected for the number of comparisons.',
      'Chance is the mean of answers per choices.',
    ]
  )


def _settings(settings: Mapping[str, Any]) -> str:
  rows = [[name, value] for name, value in _flat(settings)]
  if not rows:
    return paragraph('No settings were given.')
  return html_table(['setting', 'value'], rows, caption='Settings of the run.')


def _flat(settings: Mapping[str, Any], prefix: str = ''):
  for name in sorted(settings, key=str):
    value = settings[name]
    if isinstance(value, Mapping):
      yield from _flat(value, f'{prefix}{name}.')
    elif isinstance(value, str):
      yield f'{prefix}{name}', value
    else:
      yield f'{prefix}{name}', json.dumps(value, ensure_ascii=False)


def _commands(commands: Sequence[str]) -> str:
  if not commands:
    return paragraph('No commands were given.')
  return f'<pre><code>{html.escape(chr(10).join(commands))}</code></pre>\n'
