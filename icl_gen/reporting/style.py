"""What all figures share: style, colours of text, the strip below, bytes."""

import io
import textwrap

from matplotlib.backends.backend_agg import FigureCanvasAgg

MEASURES = {
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
  'hatch.linewidth': 0.6,
  'legend.frameon': False,
  'xtick.major.size': 0.0,
  'xtick.labelsize': 8.0,
  'ytick.labelsize': 8.5,
}
INK = '#222222'
FAINT = '#666666'
# Behind a number that a line may cross.
ON_PAPER = {'facecolor': 'white', 'edgecolor': 'none', 'pad': 0.8}


def note(normalisation: str) -> str:
  """What lines and values mean, under every figure."""
  return (
    'Lines: 95 % bootstrap intervals over seeds and clusters of questions.'
    f' Choices compared by {MEASURES[normalisation]}.'
  )


def title(figure, text: str) -> None:
  """The figure's title, on as many lines as its width needs."""
  # An average letter of the font is 0.6 of its size wide, and 72 are an inch.
  letters = int(figure.get_figwidth() * 72 / (11 * 0.6))
  figure.suptitle(textwrap.fill(text, letters), fontsize=11)


def bottom(figure, handles: list, text: str, *, columns: int) -> None:
  """Legend and note below the panels, in a strip kept free of them."""
  inch = 1 / figure.get_figheight()
  letters = int(figure.get_figwidth() * 72 / (7 * 0.6))
  text = textwrap.fill(text, letters)
  below = 0.07 + 0.13 * (text.count('\n') + 1)
  lines = -(-len(handles) // columns)
  strip = (below + 0.02 + 0.19 * lines + 0.1 * bool(lines)) * inch
  figure.get_layout_engine().set(rect=(0, strip, 1, 1 - strip))
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


def png(figure) -> bytes:
  """The figure as PNG; equal figures give equal bytes."""
  FigureCanvasAgg(figure)
  stream = io.BytesIO()
  # No metadata: matplotlib's version and the time would change the bytes.
  figure.savefig(stream, format='png', dpi=160, metadata={'Software': None})
  return stream.getvalue()
