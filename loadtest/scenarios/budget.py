"""The budget of a run: it fails by its exit code where a figure is above its setting."""

import msgspec

from loadtest.scenarios.sales import WRONG


class LoadBudget(msgspec.Struct, frozen=True, kw_only=True):
    """The largest share of failures, and the largest p99 in milliseconds."""

    failures_max: float
    p99_ms_max: float


class LoadFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run; `errors` are the texts of all its failures."""

    requests: int
    failures: int
    p99_ms: float
    errors: tuple[str, ...]


def overspent(budget: LoadBudget, figures: LoadFigures) -> list[str]:
    """Return the reasons for which a run fails; none where it is within its budget.

    A wrong answer fails a run within any budget, and so does a run without a request.
    """
    if not figures.requests:
        return ["nothing was asked"]
    reasons = [error for error in figures.errors if WRONG in error]
    share = figures.failures / figures.requests
    if share > budget.failures_max:
        allowed = f"the budget is {budget.failures_max:.2%}"
        reasons.append(f"{share:.2%} of the requests failed; {allowed}")
    if figures.p99_ms > budget.p99_ms_max:
        reasons.append(f"p99 is {figures.p99_ms:.0f} ms; the budget is {budget.p99_ms_max:.0f} ms")
    return reasons
