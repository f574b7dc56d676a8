"""`GET /v1/notices`: the restrictions that have ended, for the institutions that knew of them."""

from typing import Annotated, Final

import msgspec

from checker.accounts.keys import Action
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.operation import Success, Tag
from checker.api.paging import LIMIT
from checker.api.parameters import opaque
from checker.notices.event import Event

NOTICES: Final = Tag(
    name="notices",
    description="Notices that a restriction has ended, as a feed and by webhook.",
)
_AFTER: Final = opaque("after", "`next` of an earlier answer; absent: from the oldest notice")


class NoticePage(msgspec.Struct, frozen=True, kw_only=True):
    """Events, the oldest first. Send `next` as `after`, now or later."""

    notices: tuple[Event, ...]
    next: Annotated[str, msgspec.Meta(description="an opaque cursor")]


class _SentPage(msgspec.Struct, frozen=True, kw_only=True):
    """The same page, with each event as the bytes that were sent to the webhook."""

    notices: tuple[msgspec.Raw, ...]
    next: str


@endpoint(
    "GET",
    "/v1/notices",
    may=(Action.RECEIVE_NOTICES,),
    tag=NOTICES,
    query=(_AFTER, LIMIT),
    answers=(
        Success(
            kinds=(NoticePage,),
            example={
                "notices": [
                    {
                        "specversion": "1.0",
                        "id": "019aafb2-7c5e-7b7e-8a55-0c6b7d1f2a90",
                        "source": "/v1/notices",
                        "type": "restriction.lifted",
                        "time": "2026-11-24T01:02:03.456Z",
                        "datacontenttype": "application/json",
                        "data": {
                            "listing_id": "707091354",
                            "decision_ids": ["019aafa1-3a52-7c11-9d3e-6f1b2c3d4e5f"],
                            "ground": "fulfilled",
                            "ended_at": "2026-11-24T01:02:03.400Z",
                        },
                    }
                ],
                "next": "djE6MTI4",
            },
        ),
    ),
)
async def list_notices(call: Call) -> Reply:
    """List the restrictions that have ended, out of those that your decisions were based on.

    `permit.granted` is about a permit that begins: the listing goes on, and the holder may buy the
    permitted services.

    The feed holds the same events as the webhook. Ask again with the last `next` to get new ones.
    """
    limit = call.query(LIMIT)
    page = await call.runtime.notices.feed.read(call.caller.account_id, call.query(_AFTER), limit)
    events = tuple(msgspec.Raw(event.encode()) for event in page.events)
    return json_reply(_SentPage(notices=events, next=page.next))
