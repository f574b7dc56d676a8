"""Signing in with the key of an account, and signing out."""

from typing import Final

from cache.errors import CacheUnavailable
from checker.accounts.keys import AccountRole
from checker.api.exchange import Reply
from checker.errors import OutOfScope, Unauthenticated, Unavailable
from checker.web.manifests.opening import Manifests
from checker.web.sessions import is_cookie
from checker.web.visit import SESSION_COOKIE, Visit, page

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"

HOME_OF: Final = {
    AccountRole.INSTITUTION: "/desk",
    AccountRole.OPERATOR: "/console",
    AccountRole.AUDITOR: "/console",
}
"""The page of each role. A court works by the API, and has no page."""


@page("GET", SIGN_IN)
async def show_sign_in(visit: Visit) -> Reply:
    """Show the form for signing in."""
    return visit.show("sign_in.html", next="", error=None)


@page("POST", SIGN_IN)
async def sign_in(visit: Visit) -> Reply:
    """Begin a session with a key, and lead to the page of its role."""
    form = await visit.form()
    wanted = form.get("next", "")
    try:
        signed_in = await visit.sessions.sign_in(form.get("key", "").strip(), visit.address)
    except Unauthenticated:
        return visit.show("sign_in.html", status=401, next=wanted, error="unknown_key")
    except OutOfScope:
        return visit.show("sign_in.html", status=403, next=wanted, error="elsewhere")
    except CacheUnavailable:
        raise Unavailable("sessions cannot be kept now") from None
    home = HOME_OF.get(signed_in.caller.role)
    if home is None:
        await visit.sessions.sign_out(signed_in.cookie)
        return visit.show("sign_in.html", status=403, next=wanted, error="no_page")
    # The session of before ends, so that one browser never has two.
    await _end(visit)
    visit.keep_session(signed_in)
    return visit.redirect(wanted if _is_below(wanted, home) else home)


@page("POST", SIGN_OUT)
async def sign_out(visit: Visit) -> Reply:
    """End the session."""
    await visit.form()
    try:
        await _end(visit)
    except CacheUnavailable:
        raise Unavailable("the session cannot be ended now; close the browser") from None
    visit.keep_session(None)
    return visit.redirect("/")


async def _end(visit: Visit) -> None:
    """End the session of the browser, and delete its sheet. Raises CacheUnavailable."""
    cookie = visit.request.cookies.get(SESSION_COOKIE)
    if is_cookie(cookie):
        manifests: Manifests = visit.request.app.state.manifests
        await visit.sessions.sign_out(cookie)
        await manifests.jobs.forget(cookie)


def _is_below(path: str, home: str) -> bool:
    """Return whether a path is a page of an area; nothing else is ever the goal of a redirect."""
    words = path.strip("/").split("/")
    return (
        path.startswith("/")
        and f"/{words[0]}" == home
        and all(word.replace("-", "").isalnum() and word.isascii() for word in words)
    )
