"""The pictures of the README, taken by the tests of the pages.

`docs/pictures` has two files for each picture: the picture, and the words of its page. The words
have no digits and no ids, because these differ in each run. A test fails whose page has other words
than its picture; `make pictures` then takes the pictures anew. `CHECKER_PICTURES` names a folder
for pictures of all pages.
"""

import os
import re
from pathlib import Path

from playwright.sync_api import Page

FOLDER = Path("docs/pictures")
TAKE = "CHECKER_TAKE_PICTURES"
ALL = "CHECKER_PICTURES"

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPACE = re.compile(r"\s+")


def kept(page: Page, name: str, *, words_of: str = "body") -> None:
    """Keep a picture of the page for people to look at.

    `words_of` selects the parts whose words are compared: figures come and go.

    Raises:
        AssertionError: the README has this picture, and the page has other words by now.
    """
    folder = os.environ.get(ALL)
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    words = FOLDER / f"{name}.txt"
    if not words.exists():
        return
    if os.environ.get(TAKE):
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=FOLDER / f"{name}.png")
        words.write_text(_words_of(page, words_of) + "\n", encoding="utf-8")
    shown = words.read_text(encoding="utf-8").strip()
    assert _words_of(page, words_of) == shown, (
        f"the picture {name} is of an older page: run `make pictures`"
    )


def _words_of(page: Page, selected: str) -> str:
    texts = page.locator(selected).all_inner_texts()
    lines = [line for text in texts for line in text.splitlines()]
    plain = [_SPACE.sub(" ", re.sub(r"\d+", "0", _ID.sub("ID", line))).strip() for line in lines]
    return "\n".join(line for line in plain if line)
