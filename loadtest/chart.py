"""The chart of docs/performance.svg: innocent checks a second, of our worker and of the baselines.

The file has its colours for light and dark pages inside, so it needs no page around it.
"""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from loadtest.rows.innocent import ONE_WORKER
from loadtest.rows.row import RowSide, spaced
from loadtest.table import DatedRow

_TITLE = "Checks of innocent persons a second, one worker"
_OURS = "#0a8f61"
_THEIRS = "#8a94a6"
_INK = "#1f2328"
_WIDTH_INCHES = 8.2
_BAR_INCHES = 0.46
# The drawing has its colours in attributes of each element; only `!important` comes before them.
_DARK = "<style>@media (prefers-color-scheme: dark) { text { fill: #e6edf3 !important } }</style>"
_SETTINGS = {
    "svg.fonttype": "none",
    # The same rows give the same bytes.
    "svg.hashsalt": "checker",
    "font.family": "sans-serif",
    "font.size": 11,
}


def chart_sides(rows: Sequence[DatedRow]) -> list[RowSide]:
    """Return the servers of the chart: ours first, then the baselines, the fastest first.

    They are the sides of the rows that compare one worker with a baseline.
    """
    compared = [
        dated.row
        for dated in rows
        if dated.row.title.startswith(ONE_WORKER) and dated.row.ours and dated.row.theirs
    ]
    if not compared:
        return []
    assert compared[0].ours is not None
    others = [row.theirs for row in compared if row.theirs]
    others.sort(key=lambda side: side.per_second.median, reverse=True)
    return [compared[0].ours, *others]


def write_chart(rows: Sequence[DatedRow], file: Path) -> None:
    """Write the chart; nothing where no row compares us with a baseline."""
    sides = chart_sides(rows)
    if not sides:
        return
    with mpl.rc_context(_SETTINGS):
        drawn = _drawn(sides)
    head, svg, rest = drawn.partition("<defs>")
    file.write_text(f"{head}{_DARK}\n {svg}{rest}", encoding="utf-8")


def _drawn(sides: Sequence[RowSide]) -> str:
    figure = Figure(figsize=(_WIDTH_INCHES, 0.6 + _BAR_INCHES * len(sides)), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    bars = axes.barh(
        [side.name for side in sides],
        [side.per_second.median for side in sides],
        color=[_OURS, *[_THEIRS] * (len(sides) - 1)],
        height=0.68,
    )
    texts = [spaced(side.per_second.median) for side in sides]
    axes.bar_label(bars, texts, padding=6, color=_INK)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_title(_TITLE, color=_INK, loc="left", weight="bold")
    axes.tick_params(left=False, bottom=False, labelbottom=False, labelcolor=_INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    written = StringIO()
    figure.savefig(
        written, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
    )
    return written.getvalue()
