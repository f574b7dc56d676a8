"""The first page: what the service is, and a door for each kind of visitor."""

from datetime import UTC, datetime

import msgspec

from cache.changes import Position
from checker.api.exchange import Reply
from checker.web.shown import shanghai_minute
from checker.web.visit import Visit, page


class ListAge(msgspec.Struct, frozen=True, kw_only=True):
    """The list that this process answers by: its version, and the minute of its last change."""

    version: int
    minute: str
    is_stale: bool


def list_age(visit: Visit) -> ListAge | None:
    """Return the age of the list; None: this process holds no list that it can vouch for."""
    replica = visit.runtime.replica
    position: Position | None = replica.position
    if position is None or not replica.holds_lease:
        return None
    silent_ms = visit.runtime.clock.now().timestamp() * 1000 - position.as_of_ms
    return ListAge(
        version=position.version,
        minute=shanghai_minute(datetime.fromtimestamp(position.as_of_ms / 1000, UTC)),
        is_stale=silent_ms > visit.runtime.config.list.stale_after_ms,
    )


@page("GET", "/")
async def show_home(visit: Visit) -> Reply:
    """Show the doors."""
    return visit.show("home.html", list=list_age(visit))
