"""What rules of `tests/tidy` find today and a later change removes: it may only shrink.

`debts.toml` has a table for each rule: a key (a file, or a name) and its number of faults. A rule
fails when a key has more faults than its row, and when a row is larger than needed.
`CHECKER_SHRINK_DEBTS=1` lowers the rows and removes the paid ones; no row is ever raised or added.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("debts.toml")
_OPENING = "# Written by `CHECKER_SHRINK_DEBTS=1 pytest -n 0 tests/tidy`: see debts.py.\n\n"


def assert_within_debts(rule: str, found: Mapping[str, list[str]]) -> None:
    """Fail with all faults of keys that have more than their row, and with rows to be lowered."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8")).get(rule, {})
    if os.environ.get("CHECKER_SHRINK_DEBTS"):
        rows = {key: kept for key in rows if (kept := min(rows[key], len(found.get(key, ()))))}
        _write(rule, rows)
    new = [
        line for key, faults in found.items() if len(faults) > rows.get(key, 0) for line in faults
    ]
    paid = [
        f"{FILE.name}: [{rule}] {key!r} is {count}, and {len(found.get(key, ()))} is enough"
        for key, count in rows.items()
        if len(found.get(key, ())) < count
    ]
    assert not new, f"more than {FILE.name} allows:\n" + "\n".join(new)
    assert not paid, "CHECKER_SHRINK_DEBTS=1 pytest -n 0 tests/tidy:\n" + "\n".join(paid)


def _write(rule: str, rows: Mapping[str, int]) -> None:
    tables = tomllib.loads(FILE.read_text(encoding="utf-8")) | {rule: dict(rows)}
    parts = [
        f'["{name}"]\n' + "".join(f'"{key}" = {count}\n' for key, count in sorted(table.items()))
        for name, table in sorted(tables.items())
        if table
    ]
    FILE.write_text(_OPENING + "\n".join(parts), encoding="utf-8")
