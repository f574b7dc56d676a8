"""The amounts that no statute names, set for each jurisdiction.

The service never makes up an amount. A measure whose amount is not set gives `review`.
"""

from enum import StrEnum
from typing import Self

import msgspec

from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import NATION, Jurisdiction


class Threshold(StrEnum):
    """The settings from which on a fee or premium counts as high."""

    HIGH_SCHOOL_FEE = "high_school_fee_fen"
    HIGH_PREMIUM = "high_premium_fen"


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """A limit on spending in a calendar period, and the place whose counter counts the spending."""

    limit_fen: int
    period: CapPeriod
    counter: Jurisdiction = NATION


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force in one place, in fen; None is unset."""

    high_school_fee_fen: int | None = None
    high_premium_fen: int | None = None
    resort_cap_fen: int | None = None
    resort_cap_period: CapPeriod | None = None
    resort_cap_counter: Jurisdiction | None = None

    @property
    def resort_cap(self) -> Cap | None:
        """The cap on spending at resorts; None unless both its amount and its period are set.

        The counter is that of the whole country unless the place names another one.
        """
        if self.resort_cap_fen is None or self.resort_cap_period is None:
            return None
        return Cap(
            limit_fen=self.resort_cap_fen,
            period=self.resort_cap_period,
            counter=self.resort_cap_counter or NATION,
        )

    def threshold(self, name: Threshold) -> int | None:
        """Return the figure from which on a fee or premium is high, in fen; None: unset."""
        match name:
            case Threshold.HIGH_SCHOOL_FEE:
                return self.high_school_fee_fen
            case Threshold.HIGH_PREMIUM:
                return self.high_premium_fen

    def within(self, wider: Self) -> Self:
        """Return these settings, with each unset one taken from the `wider` place around."""
        inherited = {
            field: getattr(wider, field)
            for field in self.__struct_fields__
            if getattr(self, field) is None
        }
        return msgspec.structs.replace(self, **inherited)
