"""The table of `make bench`: its report as JSON, as text, and as Markdown in docs/performance.md.

A page shows for each row the newest report that has the row. So a long row, which a usual run
leaves out, stays in the table with its own commit.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from loadtest.bench_report import keep_as
from loadtest.origin import Origin
from loadtest.rows.row import Row, RowSide, RowUnit, Spread, spaced

DOCS = Path(__file__).parents[1] / "docs"
PAGE = "performance.md"
TABLE = "table"
_WORDS = {True: "met", False: "**missed**", None: ""}


class TableReport(msgspec.Struct, frozen=True, kw_only=True, tag=TABLE):
    """The rows of one run, with machine, commit and size."""

    origin: Origin
    generator: str
    listings: int
    connections: int
    rounds: int
    round_seconds: float
    rows: tuple[Row, ...]


class DatedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row, with the machine and commit of its figures."""

    origin: Origin
    row: Row


def keep_table(report: TableReport, folder: Path) -> Path:
    """Write the report into a folder, and return the file."""
    return keep_as(TABLE, report.origin, report, folder)


def kept_tables(folder: Path) -> list[TableReport]:
    """Return the kept reports, the oldest first."""
    files = sorted(folder.glob(f"*-{TABLE}.json"))
    return [msgspec.json.decode(file.read_bytes(), type=TableReport) for file in files]


def newest_rows(reports: Iterable[TableReport]) -> list[DatedRow]:
    """Return each row once, from the newest report that measured the row.

    The reports come oldest first. Rows of the newest report come first, in their order.
    """
    found: dict[str, DatedRow] = {}
    for report in reversed(list(reports)):
        for row in report.rows:
            known = found.get(row.title)
            if known is None or (known.row.lacks and not row.lacks):
                found[row.title] = DatedRow(origin=report.origin, row=row)
    return list(found.values())


def table_text(report: TableReport) -> str:
    """Return the report as lines for a terminal."""
    lines = [report.origin.text(), _size(report)]
    for row in report.rows:
        if row.lacks:
            lines.append(f"{row.title}: not measured, because {row.lacks} is missing")
            continue
        word = _WORDS[row.is_met].strip("*")
        goal = f", goal {_goal(row)}: {word}" if word else ""
        lines.append(f"{row.title}: {_value(row)}{goal}")
        lines += [f"    {_side_text(side)}" for side in (row.ours, row.theirs) if side]
    return "\n".join(lines)


def table_markdown(reports: Sequence[TableReport]) -> str:
    """Return the newest rows of the kept reports as a Markdown table, and where they come from."""
    newest = reports[-1]
    origin = newest.origin
    machine = f"{origin.cpu}, {origin.cores} cores, Linux {origin.kernel}, Python {origin.python}"
    lines = [
        f"Machine: {machine}. {_size(newest)}.",
        "",
        "| what | ours | the other | value (lowest to highest round) | goal | | commit |",
        "|---|---|---|---|---|---|---|",
    ]
    for dated in newest_rows(reports):
        row = dated.row
        cells = [
            row.title,
            _side_cell(row.ours),
            _side_cell(row.theirs),
            f"not measured: {row.lacks} is missing" if row.lacks else f"**{_value(row)}**",
            _goal(row),
            _WORDS[row.is_met],
            f"`{dated.origin.commit}`",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def write_between_markers(page: Path, name: str, text: str) -> None:
    """Replace the text between the markers of this name: `<!-- name:begin -->` and `:end`.

    Raises:
        ValueError: the page has not each marker once, the begin before the end.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    content = page.read_text(encoding="utf-8")
    before, found_begin, rest = content.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end or begin in after or end in after:
        raise ValueError(f"{page.name} has not the markers {begin} and {end} once")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _size(report: TableReport) -> str:
    return (
        f"{_number(report.listings)} listings, {report.connections} connections, {report.rounds} "
        f"rounds of {report.round_seconds:g} s for each server in turn, load by {report.generator}"
    )


def _value(row: Row) -> str:
    assert row.value is not None, "a row without a value says what it lacks"
    unit = "" if row.unit is RowUnit.TIMES else f" {row.unit}"
    return f"{_spread(row.value)}{unit}"


def _spread(spread: Spread) -> str:
    if spread.low == spread.high:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.low)} to {_number(spread.high)})"


def _goal(row: Row) -> str:
    if row.at_least is not None:
        return f"≥ {_number(row.at_least)}"
    return "" if row.at_most is None else f"≤ {_number(row.at_most)}"


def _side_text(side: RowSide) -> str:
    return (
        f"{side.name}: {_spread(side.per_second)}/s, "
        f"p50 {side.p50_ms:.2f} ms, p99 {side.p99_ms:.2f} ms"
    )


def _side_cell(side: RowSide | None) -> str:
    if side is None:
        return ""
    return f"{_number(side.per_second.median)}/s, p99 {side.p99_ms:.2f} ms"


def _number(value: float) -> str:
    """Return a figure with three significant digits, and whole from a hundred on."""
    return spaced(value) if value >= 100 else f"{value:.3g}"
