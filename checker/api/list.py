"""`GET /v1/list`: the state of the list, in numbers, for operators."""

import msgspec

from checker.accounts.keys import Action
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.measures import LIST
from checker.api.nodes import nodes_of
from checker.api.operation import Success
from checker.domain.clock import InstantText, instant_text, shanghai_day
from checker.publication.nodes import Node
from checker.registry.lost_changes import LostChange
from checker.registry.summary import summarize


class ListView(msgspec.Struct, frozen=True, kw_only=True):
    """The list as it stands. Before the first list `version` is 0 and `as_of` is null."""

    version: int
    history: str | None
    as_of: InstantText | None
    persons: int
    organizations: int
    listings: int
    nodes: tuple[Node, ...]
    overdue_removals: int
    unresolved_officers: int
    masked: int
    overdue_corrections: int
    lost_changes: tuple[LostChange, ...]


@endpoint(
    "GET",
    "/v1/list",
    may=(Action.SEE_LIST,),
    tag=LIST,
    answers=(
        Success(
            kinds=(ListView,),
            example={
                "version": 42,
                "history": "3f0e8a52c3b14d6f9b8d7a1c5e2f4a60",
                "as_of": "2026-11-23T01:02:03.456Z",
                "persons": 1_204,
                "organizations": 318,
                "listings": 1_377,
                "nodes": [{"id": "node-1", "version": 42, "lag_ms": 0}],
                "overdue_removals": 0,
                "unresolved_officers": 12,
                "masked": 3,
                "overdue_corrections": 0,
                "lost_changes": [],
            },
        ),
    ),
)
async def show_list(call: Call) -> Reply:
    """Show version, history, age and size of the list, and the version of each node.

    `lost_changes` names acknowledged changes that the registry no longer has.
    """
    runtime = call.runtime
    summary = await summarize(
        runtime.work_engine, shanghai_day(runtime.clock.now()), runtime.policies.deadlines
    )
    nodes = await nodes_of(runtime)
    corrections = await runtime.corrections.count()
    newest = summary.version
    return json_reply(
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
