"""The figures of one server: medians of rounds, so that a disturbed round has no weight."""

from statistics import median

import msgspec

from loadtest.closed_load import LoadRound
from loadtest.generator import LoadReport


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One server over all rounds: the medians of the rounds' figures."""

    per_second: float
    p50_ms: float
    p99_ms: float
    rounds_per_second: tuple[float, ...]

    @classmethod
    def of(
        cls, rounds: list[LoadReport], *, statuses: frozenset[int] = frozenset({200})
    ) -> "Figures":
        """Return the medians. Raises FailedRoundError as `LoadRound.of`."""
        return cls.of_rounds([LoadRound.of(report, statuses) for report in rounds])

    @classmethod
    def of_rounds(cls, rounds: list[LoadRound]) -> "Figures":
        """Return the medians of rounds without failures."""
        return cls(
            per_second=median(one.per_second for one in rounds),
            p50_ms=median(one.p50_ms for one in rounds),
            p99_ms=median(one.p99_ms for one in rounds),
            rounds_per_second=tuple(one.per_second for one in rounds),
        )

    def text(self) -> str:
        """Return the figures as a line."""
        return (
            f"{self.per_second:8.0f} requests/s, p50 {self.p50_ms:.2f} ms, p99 {self.p99_ms:.2f} ms"
        )
