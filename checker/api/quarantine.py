"""The lines of the feed that could not stand: what is wrong with them, and another try.

They wait until a retry puts them in force: a listing that was unknown may have come since, or the
service may have learnt to read them. The line itself, with whatever numbers and names it holds, is
for the court alone.
"""

from time import perf_counter
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.exchange import read_body
from checker.api.metrics import FeedKind
from checker.api.parameters import number, refuse_unknown, whole_number
from checker.api.responses import respond_json
from checker.decoding import decode
from checker.domain.clock import instant_text
from checker.errors import NotFound
from checker.intake.quarantine import QuarantinedLine
from checker.node.runtime import Runtime
from checker.registry.entry import RejectCode

PAGE_LINES = 100
PAGE_LINES_MAX = 1_000
RETRY_LINES_MAX = 10_000
RETRY_BYTES_MAX = 256 * 1024
"""10 000 ids of twenty digits."""
_ID_MAX = 10**18 - 1

_Id = Annotated[int, msgspec.Meta(ge=1, le=_ID_MAX)]


class OpenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line in quarantine. All lines of one transfer have the same `feed`."""

    id: int
    feed: str
    format: str
    line: int
    code: RejectCode
    detail: str
    at: str


class Quarantine(msgspec.Struct, frozen=True, kw_only=True):
    """A page of open lines, oldest first; `next` goes into `after`, null: there are no more."""

    lines: tuple[OpenLine, ...]
    next: int | None


class LineAsSent(OpenLine, frozen=True, kw_only=True):
    """A line with its text; `raw` is null where the key may not read it."""

    raw: str | None


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines to try again; without `ids` all that are open."""

    ids: (
        Annotated[tuple[_Id, ...], msgspec.Meta(min_length=1, max_length=RETRY_LINES_MAX)] | None
    ) = None


_retry_decoder = msgspec.json.Decoder(Retry)


@get("/v1/feed/quarantine")
async def list_quarantine(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Tell which lines are open, and why; never what stands in them."""
    await require(request, Action.SEE_QUARANTINE)
    refuse_unknown(request, ("after", "limit"))
    after = number(request, "after", default=0, low=0, high=_ID_MAX)
    limit = number(request, "limit", default=PAGE_LINES, low=1, high=PAGE_LINES_MAX)
    runtime: Runtime = request.app.state.runtime
    # One more than is shown tells whether there are more.
    found = await runtime.quarantine.open_lines(after, limit + 1)
    shown = tuple(OpenLine(**_fields(line)) for line in found[:limit])
    return respond_json(Quarantine(lines=shown, next=shown[-1].id if len(found) > limit else None))


@get("/v1/feed/quarantine/{line_id:str}")
async def show_quarantined(
    request: Request[Any, Any, Any], line_id: FromPath[str]
) -> Response[bytes]:
    """Tell of one line, open or resolved; its text is for the court alone."""
    caller = await require(request, Action.SEE_QUARANTINE)
    refuse_unknown(request, ())
    wanted = whole_number(line_id)
    if wanted is None:
        raise NotFound("no line in quarantine has this id")
    runtime: Runtime = request.app.state.runtime
    line, raw = await runtime.quarantine.read(wanted)
    shown = raw if caller.may(Action.PUBLISH) else None
    return respond_json(LineAsSent(**_fields(line), raw=shown))


@post("/v1/feed/quarantine/retry", status_code=200)
async def retry_quarantined(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Read lines again, as they were sent; those that are accepted now leave the quarantine."""
    await require(request, Action.PUBLISH)
    refuse_unknown(request, ())
    asked = decode(_retry_decoder, await read_body(request.receive, RETRY_BYTES_MAX))
    started = perf_counter()
    runtime: Runtime = request.app.state.runtime
    report = await runtime.quarantine.retry(asked.ids)
    request.app.state.metrics.fed(FeedKind.RETRY, report, perf_counter() - started)
    return respond_json(report)


def _fields(line: QuarantinedLine) -> dict[str, Any]:
    return {**msgspec.structs.asdict(line), "at": instant_text(line.at)}
