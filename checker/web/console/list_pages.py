"""The list: its changes, its listings by case number, and the rebuild of the Redis side."""

from typing import Final

from cache.errors import CacheError
from cache.generation import Generation
from checker.api.exchange import Reply
from checker.api.nodes import nodes_of
from checker.domain.clock import shanghai_day
from checker.errors import Conflict, Unavailable
from checker.operators.action import OperatorAction
from checker.publication.nodes import Nodes
from checker.registry.change_history import read_changes
from checker.registry.entry import PartyType
from checker.registry.listing_search import FOUND_MAX, find_listings_of
from checker.web.console.room import (
    CONSOLE,
    ROWS,
    asked,
    asked_number,
    author_of,
    console_page,
    managed,
    rows_page,
    show,
)
from checker.web.shown import masked_name
from checker.web.visit import Visit

FEEDS: Final = f"{CONSOLE}/feeds"
LISTINGS: Final = f"{CONSOLE}/listings"
REBUILD: Final = f"{CONSOLE}/rebuild"
CASE_LENGTH_MAX: Final = 200


@console_page(FEEDS)
async def show_feeds(visit: Visit) -> Reply:
    """Show the changes of the list, newest first, each with what it brought."""
    before = asked_number(visit, "before")
    rows, last = rows_page(await read_changes(visit.runtime.engine, before=before, limit=ROWS + 1))
    return show(
        visit,
        "feeds",
        room="feeds",
        rows=rows,
        following=None if last is None else last.version,
    )


@console_page(LISTINGS)
async def show_listings(visit: Visit) -> Reply:
    """Show the listings of a case, in force or not, with the names of persons masked."""
    case = (asked(visit, "case") or "")[:CASE_LENGTH_MAX]
    runtime = visit.runtime
    today, vault = shanghai_day(runtime.clock.now()), runtime.sealer.vault
    rows = await find_listings_of(runtime.engine, vault, case, today) if case else ()
    names = {
        each.id: masked_name(each.party_name)
        if each.party_type is PartyType.PERSON
        else each.party_name
        for each in rows
    }
    return show(
        visit,
        "listings",
        room="listings",
        case=case,
        rows=rows,
        names=names,
        is_cut=len(rows) == FOUND_MAX,
    )


@console_page(REBUILD)
async def show_rebuild(visit: Visit) -> Reply:
    """Show the generation that answers; the script of the page follows a rebuild."""
    return await _rebuild(visit, asked(visit, "of"))


@managed(REBUILD, OperatorAction.REBUILD)
async def start_rebuild(visit: Visit) -> Reply:
    """Ask the publishing process for a rebuild beside the live generation, and follow it."""
    await visit.form()
    live = await _live(visit)
    if live is None:
        raise Conflict("no generation is live: one is being built already")
    log = visit.runtime.operator_log
    async with log.around(OperatorAction.REBUILD, live.id, by=author_of(visit)):
        await _request(visit, live)
    return visit.redirect(f"{REBUILD}?of={live.id}")


async def _request(visit: Visit, live: Generation) -> None:
    try:
        await visit.runtime.cache.request_rebuild(live.id)
    except CacheError:
        raise Unavailable("Redis cannot be reached") from None


async def _live(visit: Visit) -> Generation | None:
    try:
        return await visit.runtime.cache.current()
    except CacheError:
        return None


async def _rebuild(visit: Visit, replaced: str | None) -> Reply:
    live = await _live(visit)
    nodes: Nodes | None
    try:
        nodes = await nodes_of(visit.runtime)
    except Unavailable:
        nodes = None
    is_following = replaced is not None and live is not None
    return show(
        visit,
        "generation" if visit.is_partial else "rebuild",
        room="rebuild",
        live=live,
        nodes=nodes,
        is_running=is_following and live is not None and live.id == replaced,
        is_over=is_following and live is not None and live.id != replaced,
    )
