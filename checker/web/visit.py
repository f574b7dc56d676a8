"""One request for a page: its language, its session, its form; and the decorator of a page.

    @page("GET", "/desk", roles=(AccountRole.INSTITUTION,))
    async def show_desk(visit: Visit) -> Reply: ...

A page with `roles` is for people who signed in with a key of such an account. Everybody else is led
to the page for signing in. A form without the token of its browser is refused.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import HttpMethod, Request, Response
from litestar.handlers import HTTPRouteHandler

from cache.errors import CacheUnavailable
from checker.accounts.keys import AccountRole
from checker.api.caller_address import caller_address
from checker.api.exchange import Reply, read_body
from checker.api.problems import problem_of
from checker.api.responses import respond
from checker.errors import CheckerError, InvalidRequest, OutOfScope, Unavailable
from checker.node.runtime import Runtime
from checker.web.language import COOKIE as LANGUAGE_COOKIE
from checker.web.language import PARAMETER, Language, PageWords, language_of
from checker.web.rendering import html_reply
from checker.web.sessions import Sessions, SignedIn, is_cookie, new_cookie

SESSION_COOKIE: Final = "checker_session"
VISITOR_COOKIE: Final = "checker_visitor"
"""The cookie of a browser that has not signed in: its forms carry a token too."""

FORM_TOKEN: Final = "form_token"  # noqa: S105 - the name of a field
_AT_ONCE: Final = 0
"""The age of a cookie that the browser shall delete."""

FORM_BYTES_MAX: Final = 32 * 1024
FIELDS_MAX: Final = 64
_FORM: Final = "application/x-www-form-urlencoded"

Form = Mapping[str, str]


class Visit:
    """A request for a page."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self.request = request
        self.runtime: Runtime = request.app.state.runtime
        self.sessions: Sessions = request.app.state.sessions
        self.address = caller_address(request.scope)
        asked = request.query_params.get(PARAMETER)
        self.language = language_of(asked, request.cookies.get(LANGUAGE_COOKIE))
        self.words = PageWords(self.language)
        self._signed_in: SignedIn | None = None
        self._cookies: dict[str, str | None] = {}
        if asked in set(Language):
            self._cookies[LANGUAGE_COOKIE] = self.language.value

    @property
    def path(self) -> str:
        """The address of the page."""
        return self.request.url.path

    @property
    def is_partial(self) -> bool:
        """Whether a script of the page asks for a part of the page."""
        return self.request.headers.get("x-partial") == "1"

    @property
    def is_poll(self) -> bool:
        """Whether a script asks by itself, without a touch by a person."""
        return self.request.headers.get("x-poll") == "1"

    @property
    def signed_in(self) -> SignedIn:
        """The session of a page that is for people who signed in."""
        assert self._signed_in is not None, "the page names no role"
        return self._signed_in

    @property
    def is_signed_in(self) -> bool:
        """Whether the page knows who asks."""
        return self._signed_in is not None

    def form_token(self) -> str:
        """Return the token for the forms of the page; a visitor gets a cookie for it."""
        return self.sessions.form_token(self._browser())

    def _browser(self) -> str:
        """Return the cookie that the forms of this browser are bound to; makes one if needed."""
        if self._signed_in is not None:
            return self._signed_in.cookie
        visitor = self._cookies.get(VISITOR_COOKIE) or self.request.cookies.get(VISITOR_COOKIE)
        if not is_cookie(visitor):
            visitor = self._cookies[VISITOR_COOKIE] = new_cookie()
        return visitor

    async def admit(self, roles: tuple[AccountRole, ...]) -> bool:
        """Find the session; return whether its account has one of the roles.

        Raises:
            Unavailable: Redis is away, and the page is for people who signed in.
        """
        try:
            cookie, is_poll = self.request.cookies.get(SESSION_COOKIE), self.is_poll
            found = await self.sessions.find(cookie, self.address, is_poll=is_poll)
        except CacheUnavailable:
            if roles:
                raise Unavailable("sessions cannot be looked up now") from None
            found = None
        if found is not None and roles and found.caller.role not in roles:
            found = None
        self._signed_in = found
        return found is not None

    async def form(self) -> Form:
        """Return the fields of a form that this browser was given; of a repeated field the last.

        Raises:
            InvalidRequest: the body is no form, or has too many fields.
            OutOfScope: the form does not carry the token of this browser.
            TooLarge, BodyStalled: as other bodies.
        """
        media_type = self.request.headers.get("content-type", "").partition(";")[0].strip()
        if media_type.lower() != _FORM:
            raise InvalidRequest(f"a form is sent as {_FORM}")
        within_s = self.runtime.config.server.body_timeout_s
        body = await read_body(self.request.receive, FORM_BYTES_MAX, within_s=within_s)
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
            )
        except ValueError:
            raise InvalidRequest("the form cannot be read") from None
        fields = {name: value for name, value in pairs if value.strip()}
        self.refuse_forged(fields.pop(FORM_TOKEN, ""))
        return fields

    def refuse_forged(self, token: str) -> None:
        """Refuse a form without the token of this browser. Raises OutOfScope."""
        name = SESSION_COOKIE if self._signed_in is not None else VISITOR_COOKIE
        if not self.sessions.is_form_token(token, self.request.cookies.get(name)):
            raise OutOfScope("the form is not from a page of this browser; load the page again")

    def keep_session(self, signed_in: SignedIn | None) -> None:
        """Let the answer set the cookie of a session, or delete the cookie."""
        self._signed_in = signed_in
        self._cookies[SESSION_COOKIE] = None if signed_in is None else signed_in.cookie

    def show(self, template: str, *, status: int = 200, **values: Any) -> Reply:
        """Return a page made from a template."""
        return html_reply(
            template,
            self.words,
            status=status,
            path=self.path,
            form_token=self.form_token,
            account=self._signed_in.caller.name if self._signed_in else None,
            **values,
        )

    def redirect(self, path: str) -> Reply:
        """Return an answer that leads the browser to another page, by GET."""
        return Reply(status=303, body=b"", headers={"location": path, "cache-control": "no-store"})

    def response(self, reply: Reply) -> Response[Any]:
        """Return the response of Litestar, with the cookies that this request changed."""
        response = respond(reply)
        for name, value in self._cookies.items():
            response.set_cookie(
                name,
                value or "",
                max_age=_AT_ONCE if value is None else None,
                path="/",
                httponly=True,
                samesite="strict",
                secure=self.request.url.scheme == "https",
            )
        return response


_Handler = Callable[[Visit], Awaitable[Reply]]


def page(
    method: str, path: str, *, roles: tuple[AccountRole, ...] = ()
) -> Callable[[_Handler], HTTPRouteHandler]:
    """Return a decorator that makes a route of a page. Without `roles` the page is open to all."""

    def declare(handler: _Handler) -> HTTPRouteHandler:
        async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
            visit = Visit(request)
            try:
                if await visit.admit(roles) or not roles:
                    reply = await handler(visit)
                else:
                    reply = _to_sign_in(visit)
            except CheckerError as error:
                reply = _error_page(visit, error)
            return visit.response(reply)

        return HTTPRouteHandler(path, http_method=HttpMethod(method), status_code=200)(answer)

    return declare


def _to_sign_in(visit: Visit) -> Reply:
    if visit.is_partial:
        # The script of the page loads the page anew, which is then this form.
        return visit.show("session_ended.html", status=401)
    return visit.show("sign_in.html", next=visit.path, error=None)


def _error_page(visit: Visit, error: CheckerError) -> Reply:
    problem = problem_of(error)
    visit.request.app.state.metrics.failed("pages", problem.status)
    return visit.show("error.html", status=problem.status, code=problem.code)
