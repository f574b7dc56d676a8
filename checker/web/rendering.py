"""Renders the templates of the pages, and gives every page the same headers.

A template gets `w` (the words), `language`, `path` and what its page passes. Every text is escaped;
an unknown name is an error. A page loads files of this host alone: the policy below forbids others,
and it forbids styles and scripts that stand in the page.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from checker.api.exchange import Reply
from checker.web.language import PageWords
from checker.web.shown import minute_of, yuan

HTML: Final = "text/html; charset=utf-8"

CONTENT_SECURITY_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
    # A page may be about a person, and the back button must not show it after signing out.
    "cache-control": "no-store",
}


def html_reply(
    template: str,
    words: PageWords,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Reply:
    """Return a page, made from a template of `checker/web/templates`."""
    return Reply(
        status=status,
        body=rendered(template, words, **values).encode(),
        media_type=HTML,
        headers={**HEADERS, **(headers or {})},
    )


def rendered(template: str, words: PageWords, **values: Any) -> str:
    """Return the text of a template.

    Raises:
        jinja2.UndefinedError: the template names a value that nobody passed.
    """
    page = _environment().get_template(template)
    return page.render(w=words, language=words.language, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("checker.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["yuan"] = yuan
    environment.filters["minute"] = minute_of
    return environment
