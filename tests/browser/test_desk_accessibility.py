"""The desk keeps to WCAG 2.2 AA as far as a program can see, in light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import signed_in
from tests.browser.test_desk import ask_for_a_train, type_guest
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, OTHER_NAME

pytestmark = pytest.mark.xdist_group("browser")
BYTES_MAX = 100_000


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_at_the_desk(
    browser: Browser, site: RunningService, scheme: str
) -> None:
    with browser.new_context(base_url=site.url, color_scheme=scheme) as context:
        page = signed_in(context.new_page(), "/desk", site.keys["institution"])
        page.locator("#check").wait_for()
        assert_accessible(page)
        ask_for_a_train(page)
        page.check("[name=in_group]")
        page.focus("[name=document_number]")
        guests = [
            ("deny", DEBTOR, DEBTOR_NAME),
            ("review", DEBTOR, OTHER_NAME),
            ("allow", INNOCENT, ""),
            ("invalid", INNOCENT[:-1], ""),
        ]
        for decision, number, name in guests:
            type_guest(page, number, name)
            expect(page.locator(f"[data-decision={decision}]")).to_be_visible()
            assert_accessible(page)


def test_the_first_paint_of_the_desk_is_small(browser: Browser, site: RunningService) -> None:
    with browser.new_context(base_url=site.url, service_workers="block") as context:
        page = signed_in(context.new_page(), "/desk", site.keys["institution"])
        page.locator("#check").wait_for()
        loaded = []
        page.on("requestfinished", lambda request: loaded.append(request.sizes()))
        page.reload()
        page.wait_for_load_state("networkidle")
        sizes = [each["responseBodySize"] + each["responseHeadersSize"] for each in loaded]
        assert 0 < sum(sizes) <= BYTES_MAX
