"""How long personal data is kept after it has served its purpose: the settings.

No statute sets these times. The law on personal information asks for the shortest time that the
purpose needs (个人信息保护法, section 19). The purpose here is proof: a person can sue for three
years (民法典, section 188), and within five years an action and its appeal are over.
"""

from datetime import timedelta
from typing import Annotated, Final

import msgspec

_DAYS_MAX: Final = 36_600
_Days = Annotated[int, msgspec.Meta(ge=30, le=_DAYS_MAX)]
FIVE_YEARS_DAYS: Final = 5 * 366


class DecisionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of decisions (`[decisions]`): a month is removed `keep_months` after its end."""

    keep_months: Annotated[int, msgspec.Meta(ge=1, le=1200)] = 60


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days after which personal data is removed (`[retention]`), counted from:

    | setting | counted from |
    |---|---|
    | `listing_days` | the end of a listing, or of what a court kept of the listing |
    | `permit_days` | the end of the days of a permit |
    | `correction_days` | the ruling on a correction |
    | `corrected_line_days` | the retry that put a rejected line in force |
    | `rejected_line_days` | the arrival of a rejected line that is still open |
    """

    listing_days: _Days = FIVE_YEARS_DAYS
    permit_days: _Days = FIVE_YEARS_DAYS
    correction_days: _Days = FIVE_YEARS_DAYS
    corrected_line_days: Annotated[int, msgspec.Meta(ge=1, le=_DAYS_MAX)] = 30
    rejected_line_days: _Days = 366

    @property
    def past_sales_for(self) -> timedelta:
        """For so long back the record shows who was listed and who had a permit."""
        return timedelta(days=min(self.listing_days, self.permit_days))
