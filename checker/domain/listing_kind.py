"""The kinds of listings."""

from enum import StrEnum


class ListingKind(StrEnum):
    """An entry of the list of the dishonest, or an order restricting consumption.

    The two live and end apart: the end of an entry leaves an order in force, and the other way
    round.
    """

    DISHONEST = "dishonest"
    """失信被执行人, 中办发〔2016〕64号."""
    CONSUMPTION_ORDER = "consumption_order"
    """限制消费令, 法释〔2015〕17号."""
