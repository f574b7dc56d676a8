"""The numbers of the model: figures that were measured, and assumptions.

`measured.toml` beside this file names each figure and its source. Nobody measured the assumptions,
so they are options of the command.
"""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from checker.database.engine import POOL_SIZE
from checker.spending.opening import POOL_SIZE as SPENDING_POOL_SIZE
from loadtest.bench_report import REPORTS

MEASURED = Path(__file__).with_name("measured.toml")

CONNECTIONS_PER_PROCESS = 2 * POOL_SIZE + SPENDING_POOL_SIZE + 4
"""The pools of one process, and its connections for the pulse, for probes and for joining."""


class FigureEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure as the file has it: a field of a report, or a value with source and commit.

    `per` is a second field of the report. The figure is then `field / per * times`.
    """

    means: str
    unit: str
    report: str | None = None
    field: str | None = None
    per: str | None = None
    times: float = 1.0
    value: float | None = None
    source: str | None = None
    commit: str | None = None
    is_stale: bool = False


class MeasuredFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: names of reports, and figures by name."""

    reports: dict[str, str]
    figure: dict[str, FigureEntry]


class MeasuredFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure with its source. `is_stale`: older than uvicorn and the lane in its protocol."""

    value: float
    unit: str
    means: str
    source: str
    commit: str
    is_stale: bool


def load_measured(file: Path = MEASURED, reports: Path = REPORTS) -> dict[str, MeasuredFigure]:
    """Return the figures by name.

    Raises:
        ValueError: a figure has no source, a report lacks the field, or the file is not valid.
    """
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    measured = msgspec.convert(content, MeasuredFile)
    kept = {
        name: msgspec.json.decode((reports / report).read_bytes())
        for name, report in measured.reports.items()
    }
    return {
        name: _figure(name, entry, measured.reports, kept)
        for name, entry in measured.figure.items()
    }


def _figure(
    name: str, entry: FigureEntry, files: dict[str, str], kept: dict[str, Any]
) -> MeasuredFigure:
    if entry.report in kept and entry.field and entry.value is None:
        report = kept[entry.report]
        whole = _number(name, report, entry.per) if entry.per else 1.0
        value = _number(name, report, entry.field) / whole * entry.times
        source = f"`{files[entry.report]}`: `{entry.field}`"
        commit = report["origin"]["commit"]
    elif entry.value is not None and entry.source and entry.commit and entry.report is None:
        value, source, commit = entry.value, entry.source, entry.commit
    else:
        raise ValueError(f"{name} has no source")
    return MeasuredFigure(
        value=value,
        unit=entry.unit,
        means=entry.means,
        source=source,
        commit=commit,
        is_stale=entry.is_stale,
    )


def _number(name: str, report: Any, path: str) -> float:
    for step in path.split("."):
        report = report.get(step) if isinstance(report, dict) else None
    try:
        return msgspec.convert(report, float)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: the report has no number {path}") from error


def values_of(measured: dict[str, MeasuredFigure], token_us: float = 0.0) -> dict[str, float]:
    """Return the bare values by name.

    Times of a processor (`_us`) become those of machines that make a token in `token_us`; 0: of the
    machine that was measured.
    """
    speed = token_us / measured["yardstick_us"].value if token_us else 1.0
    return {
        name: figure.value * (speed if name.endswith("_us") else 1.0)
        for name, figure in measured.items()
    }


class Assumptions(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that nobody measured. Money is in yuan, before discounts."""

    core_month_yuan: float = 150.0
    memory_gib_month_yuan: float = 30.0
    disk_gib_month_yuan: float = 1.0
    cores_per_machine: int = 4
    utilisation_max: float = 0.5
    postgres_cores_max: int = 64
    postgres_connections_max: int = 1000
    disk_gib_max: float = 8000.0
    balancer_notice_s: float = 3.0
    redis_failover_s: float = 15.0
    postgres_failover_s: float = 30.0
    retry_after_s: int = 1
    tries_max: int = 60
    late_s: float = 1.0
    years_kept: float = 5.0
    token_us: float = 0.0


ASSUMED: dict[str, str] = {
    "core_month_yuan": "a core for a month, yuan",
    "memory_gib_month_yuan": "a GiB of memory for a month, yuan",
    "disk_gib_month_yuan": "a GiB of SSD for a month, yuan",
    "cores_per_machine": "cores of a machine that serves; each core has a worker",
    "utilisation_max": "busy share of a core at the peak, with one machine lost",
    "postgres_cores_max": "cores of the largest machine for PostgreSQL",
    "postgres_connections_max": "connections that PostgreSQL bears",
    "disk_gib_max": "GiB of the largest disk of PostgreSQL",
    "balancer_notice_s": "seconds until the balancer leaves a dead machine out",
    "redis_failover_s": "seconds until a replica leads in place of a dead Redis",
    "postgres_failover_s": "seconds until the standby leads in place of a dead PostgreSQL",
    "retry_after_s": "seconds until a caller asks again; `Retry-After` of a 503 is 1",
    "tries_max": "tries before a caller gives up",
    "late_s": "an answer after so many seconds counts as late",
    "years_kept": "years for which decisions are kept (`keep_months`)",
    "token_us": "µs of a token on the machines that serve; 0: as slow as the measured machine",
}
"""Each assumption in words: for the page and for the help of the command."""
