"""The court's dated exception: services that a listed person may buy all the same."""

from datetime import datetime
from enum import StrEnum

import msgspec

from checker.domain.service import ServiceType


class PermitKind(StrEnum):
    """Why a court makes an exception, as far as the kind has rules of its own.

    法释〔2015〕17号, articles 2 and 8; 法发〔2019〕35号, article 17.
    """

    NECESSITY = "necessity"
    """The holder's life or business needs the service."""
    PRIVATE_FUNDS = "private_funds"
    """The holder pays with private money, not with that of the listed organization."""
    URGENT_TRAVEL = "urgent_travel"
    """An urgent journey by air or rail, within a month at most."""


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """Lifts the measures on these services, in force on `[valid_from, valid_until)`.

    `uses_left` is the number of decisions that it may still lift, including the present decision;
    None: any number. `kind` is None if the court names none.
    """

    id: str
    services: frozenset[ServiceType]
    valid_from: datetime
    valid_until: datetime
    uses_left: int | None
    court: str
    ground: str
    kind: PermitKind | None = None

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
