"""The three registers of the model: the list, the checks of a day by the hour, and a rush.

The number of checks of the first register is that of OASIS, Germany's register of barred gamblers.
The list as it is and its changes are those of the publication platform. All else is assumed.
"""

import msgspec

MINUTES = 1440
YEAR_DAYS = 365


class Rush(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes of a day with a flood of checks and tickets, on some days of the year."""

    starts_at: int
    minutes: int
    days_a_year: int
    checks_per_second: float
    tickets_per_second: float


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """A list and its day. `hours` are the weights of the day's hours; `burst` is for one minute.

    `adverse_share` of the checks are kept. A ticket is an authorization and its capture.
    """

    name: str
    title: str
    listed: int
    listed_a_day: int
    delisted_a_day: int
    checks_a_day: float
    hours: tuple[float, ...]
    burst: float
    adverse_share: float
    rush: Rush | None = None

    def checks_at(self, minute: int) -> float:
        """Return the checks a second that this minute of the day expects."""
        if self._is_in_rush(minute):
            assert self.rush is not None
            return self.rush.checks_per_second
        return self.checks_a_day * self.hours[minute // 60] / sum(self.hours) / 3600

    def tickets_at(self, minute: int) -> float:
        """Return the tickets a second that this minute of the day expects."""
        in_rush = self._is_in_rush(minute)
        return self.rush.tickets_per_second if in_rush and self.rush is not None else 0.0

    @property
    def peak_minute(self) -> int:
        """Return the first minute with the most checks."""
        return max(range(MINUTES), key=self.checks_at)

    @property
    def peak_checks_per_second(self) -> float:
        """The checks a second of a burst in the busiest minute; a rush is a burst already."""
        at_peak = self.checks_at(self.peak_minute)
        return at_peak if self._is_in_rush(self.peak_minute) else at_peak * self.burst

    @property
    def checks_of_the_year(self) -> float:
        """The checks of a year: usual days, and the floods."""
        return self.checks_a_day * YEAR_DAYS + self._flood("checks_per_second")

    @property
    def tickets_of_the_year(self) -> float:
        """The tickets of a year."""
        return self._flood("tickets_per_second")

    def _flood(self, rate: str) -> float:
        rush = self.rush
        if rush is None:
            return 0.0
        seconds: float = rush.minutes * 60 * rush.days_a_year
        return seconds * float(getattr(rush, rate))

    def _is_in_rush(self, minute: int) -> bool:
        rush = self.rush
        return rush is not None and rush.starts_at <= minute < rush.starts_at + rush.minutes


_EVENING = (4, 2, 1, 1, 1, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 8, 9, 10, 10, 10, 9, 8, 6)
_SALES = (1, 1, 0.5, 0.5, 0.5, 1, 3, 6, 10, 9, 9, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7, 6, 4, 2)

REGISTERS: tuple[Register, ...] = (
    Register(
        name="oasis",
        title="A register of OASIS's size",
        listed=300_000,
        listed_a_day=500,
        delisted_a_day=300,
        checks_a_day=5e9 / 365,
        hours=_EVENING,
        burst=3.0,
        adverse_share=0.001,
    ),
    Register(
        name="list",
        title="The list as it is",
        listed=8_500_000,
        listed_a_day=7_000,
        delisted_a_day=8_000,
        checks_a_day=20e6,
        hours=_SALES,
        burst=3.0,
        adverse_share=0.005,
    ),
    Register(
        name="rush",
        title="A national rush",
        listed=15_000_000,
        listed_a_day=7_000,
        delisted_a_day=8_000,
        checks_a_day=50e6,
        hours=_SALES,
        burst=3.0,
        adverse_share=0.005,
        rush=Rush(
            starts_at=20 * 60,
            minutes=30,
            days_a_year=40,
            checks_per_second=100_000,
            tickets_per_second=1_000,
        ),
    ),
)
