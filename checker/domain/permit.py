"""The court's dated exception: services that a listed person may buy all the same."""

from datetime import datetime

import msgspec

from checker.domain.service import ServiceType


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """Lifts the measures on these services, in force on `[valid_from, valid_until)`.

    `uses_left` is the number of decisions that it may still lift, including the present decision;
    None: any number.
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
        """Whether the court limits the number of its uses."""
        return self.uses_left is not None

    def covers(self, service: ServiceType, now: datetime) -> bool:
        """Whether it lifts the measures on this type of service at the aware instant `now`."""
        return (
            service in self.services
            and self.valid_from <= now < self.valid_until
            and (self.uses_left is None or self.uses_left > 0)
        )
