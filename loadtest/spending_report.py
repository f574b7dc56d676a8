"""The report of the benchmark of spending."""

import msgspec

from loadtest.figures import Figures
from loadtest.merchants import MerchantSpending, MerchantTally
from loadtest.origin import Origin


class SpendingReport(msgspec.Struct, frozen=True, kw_only=True, tag="spending"):
    """Spending under caps, in turn with the baseline.

    Over `connections`: `fresh` and `with_past` are different persons without and with past steps,
    and `baseline` is one committed INSERT a request. Over `merchants` connections: `different`
    persons, `different_baseline` as before, and `one` person who buys from all merchants. `spent`
    is the spending of this person in the record after the last round.
    """

    origin: Origin
    listings: int
    persons: int
    workers: int
    connections: int
    merchants: int
    round_seconds: float
    past_steps: int
    fill_seconds: float
    fresh: Figures
    baseline: Figures
    with_past: Figures
    different: Figures
    different_baseline: Figures
    one: Figures
    one_max_ms: float
    tally: MerchantTally
    spent: MerchantSpending

    @property
    def ratio(self) -> float:
        """Requests a second for one of the baseline's, by medians."""
        return self.fresh.per_second / self.baseline.per_second

    @property
    def ratio_of_different(self) -> float:
        """The same over a connection for each merchant."""
        return self.different.per_second / self.different_baseline.per_second

    @property
    def ratio_with_past(self) -> float:
        """Requests a second with past steps for one without."""
        return self.with_past.per_second / self.fresh.per_second

    @property
    def ratio_of_one(self) -> float:
        """The p99 of one person's orders by the p50 of different persons'."""
        return self.one.p99_ms / self.different.p50_ms

    def text(self) -> str:
        """Return the report as lines."""
        return (
            f"{self.listings} listings, {self.persons} persons sold to in turn, {self.workers} "
            f"workers, {len(self.fresh.rounds_per_second)} rounds of {self.round_seconds} s each; "
            f"an authorization, then its capture\n"
            f"{self.connections} connections\n"
            f"fresh     {self.fresh.text()}\n"
            f"baseline  {self.baseline.text()}\n"
            f"past      {self.with_past.text()} with {self.past_steps} steps, written in "
            f"{self.fill_seconds:.0f} s\n"
            f"ratio     {self.ratio:.2f} to the baseline; with the past "
            f"{self.ratio_with_past:.3f} of what it is without\n"
            f"{self.merchants} merchants, a connection each\n"
            f"different {self.different.text()}\n"
            f"baseline  {self.different_baseline.text()}\n"
            f"ratio     {self.ratio_of_different:.2f} to the baseline\n"
            f"one       {self.one.text()}, max {self.one_max_ms:.1f} ms: "
            f"{self.ratio_of_one:.1f} of the p50 of different persons\n"
            f"cap       {self.tally.authorized} held, {self.tally.captured} captured, "
            f"{self.tally.refunded} given back, {self.tally.refused} refused; "
            f"{self.spent.held_fen} + {self.spent.captured_fen} of {self.spent.limit_fen} fen "
            f"in the end"
        )
