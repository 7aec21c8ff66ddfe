"""The style of all figures: fonts, colours, titles, legends and PNG bytes."""

import io
import textwrap
from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_VALUES = {
  'sum': 'summed log-probability',
  'token': 'log-probability per token',
  'character': 'log-probability per character',
  'byte': 'log-probability per byte',
  'pmi': 'pointwise mutual information with the prompt',
}

STYLE = {
  'font.family': 'DejaVu Sans',
  'font.size': 9.0,
  'axes.titlesize': 10.0,
  'axes.spines.top': False,
  'axes.spines.right': False,
  'axes.linewidth': 0.8,
  'axes.axisbelow': True,
  'grid.color': '#e4e4e4',
  'grid.linewidth': 0.6,
  'hatch.linewidth': 0.6,
  'legend.frameon': False,
  'xtick.major.size': 0.0,
  'xtick.labelsize': 8.0,
  'ytick.labelsize': 8.5,
}
INK = '#222222'
FAINT = '#666666'
# Colours of Okabe and Ito, distinguishable with any colour vision.
CONDITION_COLORS = {
  'pretrained': '#999999',
  'icl': '#0072B2',
  'ft': '#D55E00',
  'ft_aug': '#009E73',
}
# The same and tints between them.
VERDICT_COLORS = {
  'entailed': '#009E73',
  'stated': '#56B4E9',
  'unknown': '#E8D9A0',
  'contradicted': '#D55E00',
  'unparsed': '#BBBBBB',
  'unverified': '#E5E5E5',
}
# Background of a number that a line may cross.
ON_PAPER = {'facecolor': 'white', 'edgecolor': 'none', 'pad': 0.8}


def note(normalisation: str) -> str:
  """The sentence below every figure: what the lines and values are."""
  return (
    'Lines: 95 % intervals over seeds and clusters of questions.'
    f' {ranked(normalisation)}'
  )


def ranked(normalisation: str) -> str:
  """The sentence that says which choice counts as the answer."""
  return f'Choices ranked by {_VALUES[normalisation]}.'


def dots(axis: Axes, x: Sequence[float], accuracies: Sequence[float]) -> None:
  """Draws a white dot per seed, over bars and intervals.

  Args:
    axis: in per cent.
    x: of each seed.
    accuracies: shares.
  """
  axis.scatter(
    x,
    [100 * accuracy for accuracy in accuracies],
    s=9,
    zorder=6,
    facecolor='white',
    edgecolor=INK,
    linewidth=0.6,
  )


def title(figure: Figure, text: str) -> None:
  """Sets the figure's title, wrapped to its width."""
  figure.suptitle(_wrapped(figure, text, size=11), fontsize=11)


def bottom(
  figure: Figure, handles: Sequence[Artist], text: str, *, columns: int
) -> None:
  """Draws legend and note in a strip below the panels, and lays them out."""
  inch = 1 / figure.get_figheight()
  text = _wrapped(figure, text, size=7)
  below = 0.07 + 0.13 * (text.count('\n') + 1)
  lines = -(-len(handles) // columns)
  strip = (below + 0.02 + 0.19 * lines + 0.1 * bool(lines)) * inch
  figure.set_layout_engine(
    'constrained', rect=(0, strip, 1, 1 - strip), w_pad=0.08, h_pad=0.08
  )
  figure.text(
    0.5, 0.07 * inch, text, ha='center', va='bottom', fontsize=7, color=FAINT
  )
  if handles:
    figure.legend(
      handles=handles,
      loc='lower center',
      bbox_to_anchor=(0.5, below * inch),
      ncols=columns,
      fontsize=8,
      borderaxespad=0.2,
    )


def _wrapped(figure: Figure, text: str, *, size: int) -> str:
  # An average letter is 0.6 of the font size wide; an inch has 72 points.
  letters = int(figure.get_figwidth() * 72 / (size * 0.6))
  return textwrap.fill(text, letters)


def png(figure: Figure) -> bytes:
  """The figure as PNG; equal figures give equal bytes."""
  FigureCanvasAgg(figure)
  stream = io.BytesIO()
  # No metadata: matplotlib's version and the time would change the bytes.
  figure.savefig(stream, format='png', dpi=160, metadata={'Software': None})
  return stream.getvalue()
