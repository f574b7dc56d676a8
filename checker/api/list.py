"""`GET /v1/list`: the state of the list, in numbers, for operators."""

from typing import Any

import msgspec
from litestar import Request, Response, get

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.nodes import nodes_of
from checker.api.responses import respond_json
from checker.domain.clock import instant_text, shanghai_day
from checker.node.runtime import Runtime
from checker.publication.nodes import Node
from checker.registry.lost_changes import LostChange
from checker.registry.summary import summarize


class ListView(msgspec.Struct, frozen=True, kw_only=True):
    """The list as it stands; `version` 0 and no `as_of`: none was taken in yet."""

    version: int
    history: str | None
    as_of: str | None
    persons: int
    organizations: int
    listings: int
    nodes: tuple[Node, ...]
    overdue_removals: int
    unresolved_officers: int
    masked: int
    overdue_corrections: int
    lost_changes: tuple[LostChange, ...]


@get("/v1/list")
async def show_list(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Return version, history, age and size of the list, and the version that each node has."""
    await require(request, Action.SEE_LIST)
    runtime: Runtime = request.app.state.runtime
    summary = await summarize(runtime.work_engine, shanghai_day(runtime.clock.now()))
    nodes = await nodes_of(runtime)
    corrections = await runtime.corrections.count()
    newest = summary.version
    return respond_json(
        ListView(
            version=0 if newest is None else newest.version,
            history=None if newest is None else newest.history,
            as_of=None if newest is None else instant_text(newest.at),
            persons=summary.persons,
            organizations=summary.organizations,
            listings=summary.listings,
            nodes=nodes.nodes,
            overdue_removals=summary.overdue_removals,
            unresolved_officers=summary.unresolved_officers,
            masked=summary.masked,
            overdue_corrections=corrections.overdue,
            lost_changes=summary.lost_changes,
        )
    )
