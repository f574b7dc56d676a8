"""Pages of docs/ as the site has them: their navigation, headings, anchors and links."""

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from docs.site.api_reference import api_pages
from docs.site.prepare import CONFIG, DOCS, decisions_page

ROOT = DOCS.parent
GOLDEN = ROOT / "tests" / "contract" / "openapi.json"
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6} +(.*?)\s*$", re.MULTILINE)
_OWN_ANCHOR = re.compile(r"\s*\{[^}]*#([\w-]+)[^}]*\}\s*$")
_SHOWN_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ID = re.compile(r"""\bid=["']([\w-]+)["']""")


def site_pages() -> dict[str, str]:
    """Return the text of every page of the site by its name, those of the build included."""
    written = {
        str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
        for path in DOCS.rglob("*.md")
        if not path.is_relative_to(CONFIG.parent)
    }
    document: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    api = {f"api/{name}": text for name, text in api_pages(document).items()}
    index = decisions_page((DOCS / "decisions").glob("*.md"))
    return written | api | {"decisions/index.md": index}


def pages_of_navigation() -> list[str]:
    """Return the pages that the navigation names, in its order."""
    return list(_leaves(tomllib.loads(CONFIG.read_text(encoding="utf-8"))["project"]["nav"]))


def _leaves(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from _leaves(value)


def links(text: str) -> list[str]:
    """Return the targets of all links and pictures of a page that lead to no other host."""
    plain = _CODE.sub("", _FENCE.sub("", text))
    return [target for target in _LINK.findall(plain) if "://" not in target]


@cache
def anchors(text: str) -> frozenset[str]:
    """Return the anchors of a page: those of its headings, and those that the page names itself."""
    plain = _FENCE.sub("", text)
    found: set[str] = {*_ID.findall(plain)}
    for heading in _HEADING.findall(plain):
        own = _OWN_ANCHOR.search(heading)
        slug = own[1] if own else slug_of(heading)
        number = 0
        while slug in found:
            number += 1
            slug = f"{slug.rpartition('_')[0] if number > 1 else slug}_{number}"
        found.add(slug)
    return frozenset(found)


def slug_of(heading: str) -> str:
    """Return the anchor of a heading, as pymdownx.slugs makes it in lower case."""
    shown = _SHOWN_LINK.sub(r"\1", heading).replace("`", "")
    text = unicodedata.normalize("NFC", shown).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def dead_links(name: str, pages: dict[str, str], folder: Path) -> list[str]:
    """Return the links of a page that lead to no page, file or anchor; `folder` holds the pages."""
    dead = []
    here = Path(name).parent
    for target in links(pages[name]):
        path, _, anchor = target.partition("#")
        if not path:
            found: str | None = name
        else:
            resolved = (folder / here / path).resolve()
            inside = resolved.is_relative_to(folder)
            found = str(resolved.relative_to(folder)) if inside else None
            if inside and resolved.exists() and found not in pages and not anchor:
                continue
        if found not in pages or (anchor and anchor not in anchors(pages[found])):
            dead.append(f"{name}: {target}")
    return dead
