"""`GET /v1/measures`: what is restricted, where, for whom, by which section."""

from typing import Any

import msgspec
from litestar import Request, Response, get

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.responses import respond_json
from checker.domain.measure import MeasureDescription


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """All measures in force, national ones first, in the order of their documents."""

    measures: tuple[MeasureDescription, ...]


@get("/v1/measures")
async def list_measures(request: Request[Any, Any, Any]) -> Response[bytes]:
    """List what the documents restrict."""
    await require(request, Action.SEE_MEASURES)
    book = request.app.state.runtime.policies
    return respond_json(Measures(measures=tuple(one.describe() for one in book.measures)))
