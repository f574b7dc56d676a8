"""The parts that all pages of the console share: who may see and act, pages of rows, messages.

@console_page("/console/feeds")           operators and auditors, to read
@managed("/console/…", OperatorAction.X)  a form of operators, which writes this action
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from litestar.handlers import HTTPRouteHandler

from checker.accounts.keys import AccountRole
from checker.api.exchange import Reply
from checker.api.paging import cut_page
from checker.api.parameters import NUMBER_MAX, whole_number
from checker.api.problems import problem_of
from checker.errors import CheckerError, Conflict, InvalidRequest, NotFound
from checker.operators.action import ActionAuthor, Door, OperatorAction
from checker.web.home import list_age
from checker.web.visit import Visit, page

CONSOLE: Final = "/console"
READERS: Final = (AccountRole.OPERATOR, AccountRole.AUDITOR)
LOGS: Final = "logs"
"""The key, in the `opt` of a route, of the action that its form writes."""

ROWS: Final = 50
"""Rows of a page: as many as a person reads before the next search."""

ROOMS: Final = (
    ("overview", CONSOLE),
    ("removals", f"{CONSOLE}/removals"),
    ("corrections", f"{CONSOLE}/corrections"),
    ("quarantine", f"{CONSOLE}/quarantine"),
    ("feeds", f"{CONSOLE}/feeds"),
    ("refusals", f"{CONSOLE}/refusals"),
    ("decisions", f"{CONSOLE}/decisions"),
    ("listings", f"{CONSOLE}/listings"),
    ("notices", f"{CONSOLE}/notices"),
    ("accounts", f"{CONSOLE}/accounts"),
    ("rebuild", f"{CONSOLE}/rebuild"),
    ("actions", f"{CONSOLE}/actions"),
)
"""The rooms of the console and their addresses, in the order of the navigation."""

T = TypeVar("T")
_Page = Callable[[Visit], Awaitable[Reply]]


def console_page(path: str) -> Callable[[_Page], HTTPRouteHandler]:
    """Return a decorator that makes a page for operators and auditors."""
    return page("GET", path, roles=READERS)


def managed(path: str, action: OperatorAction) -> Callable[[_Page], HTTPRouteHandler]:
    """Return a decorator that makes a form of operators, which writes `action` to their log.

    An auditor who sends the form is refused with 403.
    """

    def declare(handler: _Page) -> HTTPRouteHandler:
        async def guarded(visit: Visit) -> Reply:
            if not may_manage(visit):
                return show(
                    visit, "refused", http_status=403, room=None, reason="auditor", detail=None
                )
            try:
                return await handler(visit)
            except (InvalidRequest, NotFound, Conflict) as error:
                return refused(visit, error)

        route = page("POST", path, roles=READERS)(guarded)
        route.opt[LOGS] = action
        return route

    return declare


def refused(visit: Visit, error: CheckerError) -> Reply:
    """Return the page that says why nothing was changed. `detail` names fields, and no value."""
    problem = problem_of(error)
    faults = [f"{each.pointer.strip('/')}: {each.detail}" for each in problem.errors]
    detail = "; ".join(faults) or problem.detail
    return show(
        visit, "refused", http_status=problem.status, room=None, reason=problem.code, detail=detail
    )


def may_manage(visit: Visit) -> bool:
    """Return whether the person who signed in may change something."""
    return visit.signed_in.caller.role is AccountRole.OPERATOR


def author_of(visit: Visit) -> ActionAuthor:
    """Return the person who signed in, as the author of an action."""
    caller = visit.signed_in.caller
    return ActionAuthor(door=Door.CONSOLE, account_id=caller.account_id, key_pk=caller.key_pk)


def show(
    visit: Visit, template: str, *, room: str | None, http_status: int = 200, **values: Any
) -> Reply:
    """Return a page of the console."""
    return visit.show(
        f"console/{template}.html",
        status=http_status,
        rooms=ROOMS,
        room=room,
        may_manage=may_manage(visit),
        list=list_age(visit),
        **values,
    )


def part_of(visit: Visit, name: str) -> str:
    """Return the part of the address that stands for `{name}`."""
    found: str = visit.request.path_params[name]
    return found


def asked(visit: Visit, name: str) -> str | None:
    """Return a parameter of the query without blanks around it; None: it is absent or empty."""
    text = (visit.request.query_params.get(name) or "").strip()
    return text or None


def asked_number(visit: Visit, name: str) -> int | None:
    """Return a whole number of the query; None: it is absent, or no such number."""
    text = asked(visit, name)
    number = None if text is None else whole_number(text)
    return number if number is not None and number <= NUMBER_MAX else None


def rows_page(found: Sequence[T]) -> tuple[Sequence[T], T | None]:
    """Return a page of rows, and its last row if more rows follow. `found` has one row more."""
    return cut_page(found, ROWS)
