"""Real pages in a real Chromium, over a list of their own.

Without a Chromium these tests are left out, and the head of the run names them; in CI they fail.
"""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.support import chromium
from tests.support.private_folder import private_folder
from tests.support.running_service import SETTINGS, RunningService, running_service
from tests.support.town import TOWN, ndjson

PROGRAM = chromium.program()
if PROGRAM is None:
    collect_ignore_glob = ["test_*.py"]
PATIENCE_MS = 10_000


@pytest.fixture(scope="session")
def site() -> Iterator[RunningService]:
    """A server of one worker whose list is the town's, with keys by role."""
    with (
        private_folder() as folder,
        running_service(folder, "serve", settings=SETTINGS) as running,
    ):
        roles = ("institution", "operator", "auditor", "court")
        running.make_keys({role: ("--role", role) for role in roles})
        with running.client(running.keys["court"]) as court:
            answer = court.put("/v1/feed/snapshot", content=ndjson(TOWN))
            assert answer.status_code == 200, answer.text
        yield running


@pytest.fixture(scope="module")
def browser(site: RunningService) -> Iterator[Browser]:
    """A browser that runs without a window; it starts after the server, and ends with its file.

    The loop of Playwright runs in this thread. The start of a server, and tests of other folders,
    need a loop of their own.
    """
    assert site.url
    with sync_playwright() as playwright:
        # The sandbox of Chromium does not start as root, as which CI runs.
        opened = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, site: RunningService) -> Iterator[Page]:
    """An empty page of a browser without cookies; it fails on faults, and on other hosts."""
    with browser.new_context(base_url=site.url) as context:
        context.set_default_timeout(PATIENCE_MS)
        opened = context.new_page()
        faults: list[str] = []

        def note(request: Request) -> None:
            if not request.url.startswith((site.url, "data:")):
                faults.append(request.url)

        opened.on("request", note)
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on("console", lambda message: faults.append(message.text))
        yield opened
        assert [fault for fault in faults if "Failed to load resource" not in fault] == []


@pytest.fixture
def clerk(page: Page, site: RunningService) -> Page:
    """The desk of an institution, signed in."""
    return signed_in(page, "/desk", site.keys["institution"])


@pytest.fixture
def operator(page: Page, site: RunningService) -> Page:
    """The console of an operator."""
    signed_in(page, "/console", site.keys["operator"])
    page.locator("nav.rooms").wait_for()  # the form for signing in has the same address
    return page


@pytest.fixture(scope="module")
def api(site: RunningService) -> Iterator[httpx.Client]:
    """A client of an operator."""
    with site.client(site.keys["operator"]) as client:
        yield client


def signed_in(page: Page, path: str, key: str) -> Page:
    page.goto(path)
    page.fill("[name=key]", key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")
    return page
