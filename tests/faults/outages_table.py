"""The table of outages as a page: `docs/outages.md`, written by its tests and read by them."""

from collections.abc import Mapping
from pathlib import Path

from tests.faults.outage_load import Column

PAGE = Path(__file__).parents[2] / "docs" / "outages.md"
WRITE_VARIABLE = "CHECKER_WRITE_OUTAGES"

Row = Mapping[Column, str]

_HEAD = """# Outages

What callers see while something that the service stands on is away. Tests observe every cell
(`tests/faults/test_outages.py`) on a server with two workers, under a small load, and fail when an
observation differs from this page. `CHECKER_WRITE_OUTAGES=1` lets the tests write the page anew.

"""

_FOOT = """
- An answer is right, or it is 503 `unavailable` with `Retry-After`. Nobody is allowed or denied by
  guessing, and nothing is answered 500.
- A bound counts from the moment the request is sent, or from the beginning of the outage where the
  request was under way.
- A feed that is answered 503 may have been committed. Send the same lines again: a line that stands
  already changes nothing. The same holds for an order of spending under its `Idempotency-Key`.
- "frozen" also stands for a network that loses every packet: the server is there and is silent.
- `/readyz` is 503 while PostgreSQL takes no writes, although innocents are still answered
  (docs/decisions/0025-what-a-postgresql-fault-means.md).
"""


def read_rows() -> dict[str, Row]:
    """Return the rows of the page by situation; none where there is no page."""
    if not PAGE.exists():
        return {}
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: dict(zip(Column, row[1:], strict=True)) for row in cells[1:]}


def page_of(rows: Mapping[str, Row], order: list[str]) -> str:
    """Return the page with these rows."""
    lines = [["what is away", *Column], *([name, *rows[name].values()] for name in order)]
    table = [f"| {' | '.join(line)} |" for line in lines]
    table.insert(1, "|---" * len(lines[0]) + "|")
    return _HEAD + "\n".join(table) + "\n" + _FOOT


def write_row(name: str, row: Row, order: list[str]) -> None:
    """Put a row on the page; rows that nobody has observed yet are empty."""
    rows = {other: dict.fromkeys(Column, "") for other in order} | read_rows() | {name: row}
    PAGE.write_text(page_of(rows, order), encoding="utf-8")
