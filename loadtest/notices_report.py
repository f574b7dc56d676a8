"""The report of the benchmark of notices."""

import msgspec

from loadtest.origin import Origin


class NoticesReport(msgspec.Struct, frozen=True, kw_only=True, tag="notices"):
    """Notices to many endpoints, some of which hang; times begin with the answer of the feed.

    `repeated` notices came more than once, as the contract permits.
    """

    origin: Origin
    listings: int
    workers: int
    endpoints: int
    hanging: int
    notices: int
    told: int
    repeated: int
    feed_seconds: float
    told_seconds: float

    def text(self) -> str:
        """Return the report as lines."""
        return (
            f"{self.notices} notices to {self.endpoints} endpoints of which {self.hanging} hang, "
            f"{self.workers} workers, {self.listings} listings\n"
            f"feed      {self.feed_seconds:.2f} s to the answer\n"
            f"told      {self.told} notices in {self.told_seconds:.2f} s after it, "
            f"{self.told / self.told_seconds:.0f} a second; {self.repeated} came again"
        )
