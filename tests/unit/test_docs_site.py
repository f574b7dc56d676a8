"""The site of docs/ is whole: its navigation names every page, and no link of a page is dead."""

import re
from collections import Counter

import pytest

from docs.site.prepare import CONFIG, DOCS
from tests.support.markdown_pages import (
    ROOT,
    anchors,
    dead_links,
    links,
    pages_of_navigation,
    site_pages,
    slug_of,
)

PAGES = site_pages()
AT_ROOT = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")}
# Pages that those at the root link to.
OF_ROOT = AT_ROOT | {f"docs/{name}": text for name, text in PAGES.items()}


def test_the_navigation_names_every_page_once():
    """Decision files are reached by their table, which the build writes."""
    expected = {
        name
        for name in PAGES
        if name.endswith(".md")
        and (not name.startswith("decisions/") or name == "decisions/index.md")
    }
    named = Counter(pages_of_navigation())
    assert set(named) == expected
    assert max(named.values()) == 1


@pytest.mark.parametrize("name", sorted(name for name in PAGES if name.endswith(".md")))
def test_every_link_of_a_page_leads_to_a_page_and_its_anchor(name: str):
    assert dead_links(name, PAGES, DOCS) == []


@pytest.mark.parametrize("name", AT_ROOT)
def test_every_link_of_a_page_at_the_root_leads_to_a_file_and_its_anchor(name: str):
    assert "README.md" in AT_ROOT
    assert dead_links(name, OF_ROOT, ROOT) == []


def test_the_table_of_decisions_names_every_decision():
    files = {path.name for path in (DOCS / "decisions").glob("*.md")}
    assert set(links(PAGES["decisions/index.md"])) == files


def test_no_page_loads_anything_from_another_host():
    """A picture, a style or a script of another host would name the reader to that host."""
    remote = re.compile(
        r"!\[[^\]]*\]\(\s*<?https?:|<(?:img|script|link|iframe)[^>]*https?:", re.IGNORECASE
    )
    assert [name for name, text in PAGES.items() if remote.search(text)] == []
    config = CONFIG.read_text(encoding="utf-8")
    assert "font = false" in config
    assert "https://" not in config


def test_every_drawing_is_shown_by_a_page_and_fits_light_and_dark_pages():
    shown = {target.rpartition("/")[2] for text in PAGES.values() for target in links(text)}
    for picture in (DOCS / "pictures").glob("*.svg"):
        assert picture.name in shown
        assert "prefers-color-scheme: dark" in picture.read_text(encoding="utf-8")


def test_the_search_finds_dead_links_and_anchors():
    pages = {
        "a.md": "# One\n[x](b.md#two) [y](b.md#none) [z](c.md) [w](#one)\n",
        "b.md": "## Two\n",
    }
    assert dead_links("a.md", pages, DOCS) == ["a.md: b.md#none", "a.md: c.md"]


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("Config file", "config-file"),
        ("CheckerDown：节点没有应答", "checkerdown节点没有应答"),
        ("Write a `[table]`", "write-a-table"),
        ("First [page](b.md), then", "first-page-then"),
    ],
)
def test_the_anchor_of_a_heading_is_that_of_the_site(heading: str, slug: str):
    assert slug_of(heading) == slug


def test_an_anchor_that_a_heading_names_replaces_its_own():
    assert anchors("# 原则 {#principles}\n## One\n## One\n") == {"principles", "one", "one_1"}
