"""Texts of readers at the desk: a card's line, a passport's zone, and garbled texts."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import signed_in
from tests.browser.test_desk import ask_for_a_train
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, PASSPORT
from tests.support.zones import td3

pytestmark = pytest.mark.xdist_group("browser")

ADDRESS = "广东省雷州市某路 1 号"
CARD = f"{DEBTOR_NAME}|男|汉|18900101|{ADDRESS}|{DEBTOR}|雷州市公安局|20200101|20400101"


def test_a_readers_line_is_one_check_and_the_rest_never_leaves_the_browser(clerk: Page) -> None:
    ask_for_a_train(clerk)
    with clerk.expect_request("**/desk") as sent:
        clerk.keyboard.type(CARD + "\n")
    expect(clerk.locator("[data-decision]")).to_have_attribute("data-decision", "deny")
    expect(clerk.locator(".guest")).to_contain_text("陈**")
    body = sent.value.post_data_json
    assert body["document_number"] == f"{DEBTOR_NAME}|||||{DEBTOR}|||"
    assert ADDRESS not in clerk.content()


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_passports_zone_is_read_line_by_line(clerk: Page, end: str) -> None:
    ask_for_a_train(clerk)
    clerk.keyboard.type(end.join(td3(PASSPORT)) + "\n")
    expect(clerk.locator("[data-decision]")).to_have_count(1)
    expect(clerk.locator(".guest")).to_contain_text("P1234567"[0])
    assert clerk.locator("[data-decision]").get_attribute("data-decision") in {"deny", "review"}


def test_a_garbled_text_is_nobody_and_names_the_field(clerk: Page) -> None:
    ask_for_a_train(clerk)
    garbled = [DEBTOR * 2, DEBTOR[:9], "13800138000", DEBTOR_NAME, td3(PASSPORT)[1]]
    for text in garbled:
        clerk.keyboard.type(text + "\n")
        expect(clerk.locator("[data-decision=invalid]")).to_contain_text("证件号码")
        clerk.keyboard.press("Escape")


def test_a_readers_line_is_read_without_a_script_too(
    browser: Browser, site: RunningService
) -> None:
    with browser.new_context(base_url=site.url, java_script_enabled=False) as context:
        page = signed_in(context.new_page(), "/desk", site.keys["institution"])
        ask_for_a_train(page)
        page.keyboard.type(CARD + "\n")
        expect(page.locator("[data-decision]")).to_have_attribute("data-decision", "deny")
        assert ADDRESS not in page.content()
        page.fill("[name=note]", "法院电话确认已履行")
        page.click("button[value=overridden]")
        expect(page.locator("[data-outcome=overridden]")).to_be_visible()


def test_a_family_is_one_booking_by_keyboard_alone(clerk: Page) -> None:
    ask_for_a_train(clerk)
    clerk.keyboard.type("g\n")
    expect(clerk.locator("[name=in_group]")).to_be_checked()
    for number, booking in ((INNOCENT, "allow"), (DEBTOR, "deny"), (INNOCENT, "deny")):
        clerk.keyboard.type(number + "\n")
        expect(clerk.locator("[data-booking]")).to_have_attribute("data-booking", booking)
        expect(clerk.locator("[name=document_number]")).to_have_value("")
    expect(clerk.locator("[data-guest]")).to_have_count(3)
    assert DEBTOR not in clerk.content()
