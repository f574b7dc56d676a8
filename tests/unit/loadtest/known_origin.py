"""Where the reports of these tests come from."""

from datetime import UTC, datetime

from loadtest.origin import Origin

ORIGIN = Origin(
    cpu="a CPU",
    cores=2,
    kernel="6.1",
    python="3.11",
    commit="abc",
    measured_at=datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC),
)
