"""Pages of a list: the parameters `after` and `limit`, and the cut of what was read into a page."""

from collections.abc import Sequence
from typing import Final, TypeVar

from checker.api.parameters import NUMBER_MAX, Parameter, number

T = TypeVar("T")

PAGE_ITEMS: Final = 100
PAGE_ITEMS_MAX: Final = 1_000
"""An answer of a thousand items has some hundred kilobytes."""

AFTER: Final = number(
    "after", "`next` of the page before; 0 begins", default=0, low=0, high=NUMBER_MAX
)
LIMIT: Final = number(
    "limit", "The most items of a page", default=PAGE_ITEMS, low=1, high=PAGE_ITEMS_MAX
)
PAGING: Final[tuple[Parameter[int], ...]] = (AFTER, LIMIT)


def cut_page(found: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """Return the page, and the last item of the page if more items follow, else None.

    `found` holds up to `limit + 1` items: the item past the limit shows that more items follow.
    """
    if len(found) <= limit:
        return found, None
    return found[:limit], found[limit - 1]
