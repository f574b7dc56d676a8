"""The event that an institution is sent: CloudEvents 1.0, structured mode (contract, section 6).

| type                 | occasion                                                          |
|----------------------|-------------------------------------------------------------------|
| `restriction.lifted` | a listing restricts no longer, or no longer the same persons      |
| `permit.granted`     | a permit begins; the listing goes on and its other services too   |

The event names the listing, and the institution's own decisions that it lifts. It holds no document
number and no name.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.clock import InstantText, instant_text
from checker.domain.service import ServiceType
from checker.notices.ending import Ending

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"
SOURCE: Final = "/v1/notices"

DECISIONS_MAX: Final = 500
"""Decisions in one event: some 20 KB, which every receiver takes. More need several events."""


class EventType(StrEnum):
    """The types of events."""

    RESTRICTION_LIFTED = "restriction.lifted"
    PERMIT_GRANTED = "permit.granted"


class Lifted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An ending and its day or instant, with the lifted decisions in the order of their making.

    Either `ended_on` or `ended_at` is set. `listing_id` is null if the answers did not show the
    listing, because the listing is not public. A permit names its id and the services that it
    permits. An order that restricts fewer services names those that it restricts no longer.
    """

    listing_id: str | None
    decision_ids: tuple[str, ...]
    ground: str
    ended_on: str | None = None
    ended_at: InstantText | None = None
    permit_id: str | None = None
    services: tuple[ServiceType, ...] | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event. A message that is sent again has the same `id`."""

    specversion: str = "1.0"
    id: str
    source: str = SOURCE
    type: EventType
    time: InstantText
    datacontenttype: str = "application/json"
    data: Lifted


def event_text(
    ending: Ending,
    decision_ids: Sequence[str],
    *,
    event_id: str,
    now: datetime,
    shows_listing: bool,
) -> str:
    """Return the event of an ending for some decisions of one account, as JSON."""
    event = Event(
        id=event_id,
        type=EventType.RESTRICTION_LIFTED if ending.permit_id is None else EventType.PERMIT_GRANTED,
        time=instant_text(now),
        data=Lifted(
            listing_id=ending.listing_id if shows_listing else None,
            decision_ids=tuple(decision_ids),
            ground=ending.ground,
            ended_on=None if ending.ended_on is None else ending.ended_on.isoformat(),
            ended_at=None if ending.ended_at is None else instant_text(ending.ended_at),
            permit_id=ending.permit_id,
            services=None if ending.services is None else tuple(sorted(ending.services)),
        ),
    )
    return msgspec.json.encode(event).decode()
