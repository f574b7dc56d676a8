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

## How long anybody waits

| for what | bound | then |
|---|---|---|
| a lookup or a quota in Redis | `[redis] timeout_ms`, 50 ms | the breaker opens for 0.5 s |
| a statement of a check | `[postgresql] timeout_ms`, 500 ms | 503, and no second try |
| a statement of anything else | 2 s | 503, and no second try |
| a silent PostgreSQL | 0.75 s | all connections end, and 503 at once until it answers |
| checks that wait for PostgreSQL | 800 in a process | 503 at once |
| changes that wait to be kept | 1 000 in a process | 503 at once |
| batches that wait | 512 large and 1 024 small ones in a process | 503 at once |

- Each 503 has `Retry-After`. While a breaker is open, PostgreSQL decides, and quotas are not
  counted. An account whose batches fill its share of the queue is answered 429.
- After a failed question to Redis one caller tries for all, twice a second. A failed quota does not
  stop lookups: a Redis without memory refuses writes and still answers reads.
- `/readyz` names the sources that answer: `replica`, `cache` and `registry`. The metric
  `checker_store_answers{store}` is 0 while a store does not answer, or PostgreSQL takes no writes.
- `docs/reliability.md` has every fault under a mixed load.
"""


def read_rows() -> dict[str, Row]:
    """Return the rows of the page by situation; none where there is no page."""
    if not PAGE.exists():
        return {}
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").partition("\n## ")[0].splitlines()
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
