"""`GET /v1/notices`: what an institution was told has ended, as a feed."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.parameters import number, refuse_unknown
from checker.api.responses import respond_json
from checker.node.runtime import Runtime
from checker.notices.event import Event

PAGE_NOTICES: Final = 100
PAGE_NOTICES_MAX: Final = 1_000


class NoticePage(msgspec.Struct, frozen=True, kw_only=True):
    """Events, the oldest first; `next` goes into `after`, now or later."""

    notices: tuple[Event, ...]
    next: Annotated[str, msgspec.Meta(description="an opaque cursor")]


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    """The same with events as they were sent."""

    notices: tuple[msgspec.Raw, ...]
    next: str


@get("/v1/notices")
async def list_notices(request: Request[Any, Any, Any]) -> Response[bytes]:
    """List the institution's notices after a cursor."""
    caller = await require(request, Action.RECEIVE_NOTICES)
    refuse_unknown(request, ("after", "limit"))
    limit = number(request, "limit", default=PAGE_NOTICES, low=1, high=PAGE_NOTICES_MAX)
    runtime: Runtime = request.app.state.runtime
    page = await runtime.notices.feed.read(
        caller.account_id, request.query_params.get("after"), limit
    )
    events = tuple(msgspec.Raw(event.encode()) for event in page.events)
    return respond_json(_Page(notices=events, next=page.next))
