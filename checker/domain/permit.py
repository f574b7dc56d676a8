"""The court's dated exception: what a listed person may buy all the same, and until when."""

from datetime import datetime

import msgspec

from checker.domain.service import ServiceType


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """Lifts what restricts these services, in force on `[valid_from, valid_until)`.

    `uses_left` is how many decisions it may still lift, this one among them; None: any number.
    """

    id: str
    services: frozenset[ServiceType]
    valid_from: datetime
    valid_until: datetime
    uses_left: int | None
    court: str
    ground: str

    @property
    def is_counted(self) -> bool:
        """Whether the court counts what it is used for."""
        return self.uses_left is not None

    def covers(self, service: ServiceType, now: datetime) -> bool:
        """Say whether it lifts what restricts this type of service at the aware instant `now`."""
        return (
            service in self.services
            and self.valid_from <= now < self.valid_until
            and (self.uses_left is None or self.uses_left > 0)
        )
