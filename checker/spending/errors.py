"""The errors of spending."""

from checker.domain.decision import CapSpending
from checker.errors import CheckerError


class CapExceeded(CheckerError):
    """The room under the cap is smaller than the amount; `spending` has the room that is left."""

    def __init__(self, spending: CapSpending) -> None:
        super().__init__(
            f"{spending.remaining_fen} of {spending.limit_fen} fen are left this {spending.period}"
        )
        self.spending = spending
