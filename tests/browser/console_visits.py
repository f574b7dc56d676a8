"""Steps of the tests of the console: signing in, sending a feed, asking about somebody."""

from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import signed_in
from tests.support.asking import G_TRAIN, question
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, ndjson


def console_of(page: Page, key: str) -> Page:
    signed_in(page, "/console", key)
    page.locator("nav.rooms").wait_for()  # the form for signing in has the same address
    return page


def changed(site: RunningService, *operations: dict[str, Any]) -> dict[str, Any]:
    with site.client(site.keys["court"]) as court:
        answer = court.post("/v1/feed/changes", content=ndjson(operations))
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def asked(site: RunningService) -> str:
    """Ask about the debtor, and return the id of the kept decision."""
    with site.client(site.keys["institution"]) as institution:
        answer = institution.post(
            "/v1/checks", json=question(DEBTOR, G_TRAIN) | {"reference": None}
        )
        assert answer.status_code == 200, answer.text
        decision_id: str = answer.json()["id"]
    return decision_id
