"""The figures of one server: medians of rounds, so that a disturbed round has no weight."""

from statistics import median

import msgspec

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
        """Take the medians; ValueError for another status, no answer, or a lost connection."""
        for report in rounds:
            if not report.statuses or set(report.statuses) - statuses or report.lost_connections:
                raise ValueError(
                    f"a round with {report.statuses} and {report.lost_connections} lost connections"
                )
        return cls(
            per_second=median(report.per_second for report in rounds),
            p50_ms=median(report.p50_ms for report in rounds),
            p99_ms=median(report.p99_ms for report in rounds),
            rounds_per_second=tuple(report.per_second for report in rounds),
        )

    def text(self) -> str:
        """Say it in a line."""
        return (
            f"{self.per_second:8.0f} requests/s, p50 {self.p50_ms:.2f} ms, p99 {self.p99_ms:.2f} ms"
        )
