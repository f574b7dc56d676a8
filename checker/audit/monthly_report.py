"""The monthly report: the decisions of institutions, and the outcomes that they did not report.

中办发〔2016〕64号, section 五（一）, and the Leizhou plan ask the units to report. The report is by
institution and by the responsible authority (责任单位) that the measures name.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.audit.outcomes import ReportedOutcome
from checker.database.engine import driver_errors, fetch
from checker.domain.clock import month_range, shanghai_day
from checker.domain.decision import Outcome
from checker.domain.measure import Measure

_CHECKS: Final = """
SELECT account_id, outcome, sum(checks)::bigint AS checks FROM check_tally
WHERE day >= :first AND day < :next GROUP BY 1, 2
"""

# Every decision of the month once, with its measures and the last reported outcome.
_DECISIONS: Final = """
WITH decided AS (
    SELECT id, account_id, outcome,
           ARRAY(SELECT DISTINCT reason ->> 'measure'
                 FROM jsonb_array_elements(reasons) AS reason ORDER BY 1) AS measures,
           (SELECT reported.outcome FROM reported_outcome AS reported
            WHERE reported.decision_id = decision.id ORDER BY reported.pk DESC LIMIT 1) AS reported
    FROM decision WHERE at >= :since AND at < :until AND account_id IS NOT NULL
)
SELECT account_id, outcome, measures, reported, count(*) AS decisions
FROM decided GROUP BY 1, 2, 3, 4
"""

_ACCOUNTS: Final = "SELECT id, name FROM account"


class MeasureCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often one measure led to each outcome."""

    measure: str
    denied: int
    reviewed: int
    capped: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions of a month. `overridden`: refused, and reported as sold or overridden.
    `outcomes_missing`: refusals and reviews without a reported outcome.
    """

    denied: int
    reviewed: int
    capped: int
    permitted: int
    overridden: int
    outcomes_missing: int
    measures: tuple[MeasureCount, ...]


class InstitutionReport(Counts, frozen=True, kw_only=True):
    """One account's month. `checks` also counts plain allows."""

    account_id: str
    account: str
    checks: int


class AuthorityReport(Counts, frozen=True, kw_only=True):
    """Decisions by the measures of one authority; null for measures that name no authority."""

    authority: str | None


class MonthlyReport(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar month of Shanghai, from `month` on."""

    month: date
    institutions: tuple[InstitutionReport, ...]
    authorities: tuple[AuthorityReport, ...]


async def monthly_report(
    engine: AsyncEngine, month: date, measures: Iterable[Measure]
) -> MonthlyReport:
    """Return the report of a month. `engine` is one without a bound on statements.

    Raises:
        ValueError: there is no such month (`checker.domain.clock.month_range`).
        Unavailable: PostgreSQL is away.
    """
    since, until = month_range(month)
    days = {"first": shanghai_day(since), "next": shanghai_day(until)}
    with driver_errors():
        checks = await fetch(engine, text(_CHECKS), days)
        rows = await fetch(engine, text(_DECISIONS), {"since": since, "until": until})
        names = {row["id"]: row["name"] for row in await fetch(engine, text(_ACCOUNTS))}
    authorities = {measure.id: measure.authorities or (None,) for measure in measures}
    by_account: dict[str, list[Any]] = defaultdict(list)
    by_authority: dict[str | None, list[Any]] = defaultdict(list)
    for row in rows:
        by_account[row["account_id"]].append(row)
        for authority in dict.fromkeys(
            each for measure in row["measures"] for each in authorities.get(measure, (None,))
        ):
            by_authority[authority].append(_of_authority(row, authority, authorities))
    asked: dict[str, int] = defaultdict(int)
    for row in checks:
        asked[row["account_id"]] += row["checks"]
    return MonthlyReport(
        month=shanghai_day(since),
        institutions=tuple(
            InstitutionReport(
                account_id=each,
                account=names[each],
                checks=asked[each],
                **_counts(by_account[each]),
            )
            for each in sorted({*by_account, *asked}, key=lambda each: (names[each], each))
        ),
        authorities=tuple(
            AuthorityReport(authority=each, **_counts(by_authority[each]))
            for each in sorted(by_authority, key=lambda each: (each is None, each or ""))
        ),
    )


def _of_authority(
    row: Any, authority: str | None, authorities: Mapping[str, tuple[str | None, ...]]
) -> dict[str, Any]:
    """Return a row with only the measures of the authority."""
    measures = [each for each in row["measures"] if authority in authorities.get(each, (None,))]
    return {**row, "measures": measures}


def _counts(rows: Iterable[Any]) -> dict[str, Any]:
    total = dict.fromkeys(("denied", "reviewed", "capped", "permitted"), 0)
    overridden = missing = 0
    by_measure: dict[str, dict[str, int]] = defaultdict(
        lambda: {"denied": 0, "reviewed": 0, "capped": 0}
    )
    for row in rows:
        kind = _KINDS[Outcome(row["outcome"])]
        total[kind] += row["decisions"]
        if kind == "permitted":
            continue
        for measure in row["measures"]:
            by_measure[measure][kind] += row["decisions"]
        if kind == "capped":
            continue
        if row["reported"] is None:
            missing += row["decisions"]
        elif row["reported"] in _AGAINST[kind]:
            overridden += row["decisions"]
    return {
        **total,
        "overridden": overridden,
        "outcomes_missing": missing,
        "measures": tuple(
            MeasureCount(measure=measure, **counts)
            for measure, counts in sorted(by_measure.items())
        ),
    }


_KINDS: Final = {
    Outcome.DENY: "denied",
    Outcome.REVIEW: "reviewed",
    Outcome.CAP: "capped",
    Outcome.ALLOW: "permitted",
}
# A review may end in a sale, which is its purpose.
_AGAINST: Final = {
    "denied": {ReportedOutcome.SOLD, ReportedOutcome.OVERRIDDEN},
    "reviewed": {ReportedOutcome.OVERRIDDEN},
}
