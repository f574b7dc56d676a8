"""Renders the templates of the pages, and gives every page the same headers.

A template gets `w` (the words), `language`, `path` and what its page passes. Every text is escaped;
an unknown name is an error. A page loads files of this host alone: the policy below forbids others,
and it forbids scripts that stand in the page. Styles in the page are those of `static`, known by
their digests.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from checker.api.exchange import Reply
from checker.web.language import PageWords
from checker.web.shown import minute_of, yuan

HTML: Final = "text/html; charset=utf-8"
_STATIC: Final = files("checker.web") / "static"


@cache
def page_headers() -> Mapping[str, str]:
    """Return the headers of every page."""
    sheets = " ".join(f"'sha256-{_digest(style(name))}'" for name in _style_names())
    policy = [
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {sheets}",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    return {
        "content-security-policy": "; ".join(policy),
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "x-frame-options": "DENY",
        # A page may be about a person, and the back button must not show it after signing out.
        "cache-control": "no-store",
    }


@cache
def style(name: str) -> Markup:
    """Return the text of a style sheet, for a `<style>` of a page.

    A sheet in the page saves a round trip before the first paint.
    """
    return Markup((_STATIC / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file


def _style_names() -> list[str]:
    return sorted(each.name for each in _STATIC.iterdir() if each.name.endswith(".css"))


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


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
        headers={**page_headers(), **(headers or {})},
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
    environment.globals["style"] = style
    environment.filters["minute"] = minute_of
    return environment
