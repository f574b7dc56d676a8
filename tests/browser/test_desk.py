"""A clerk at the desk: by keyboard alone, without a script, and when something is wrong."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import signed_in
from tests.browser.pictures import kept
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, MASKED, MASKED_NAME, OTHER_NAME

pytestmark = pytest.mark.xdist_group("browser")

TRIES = 5


def type_guest(page: Page, number: str, name: str = "") -> None:
    """Type as a clerk does: the focus is in the field for the number already."""
    page.keyboard.type(number)
    if name:
        page.keyboard.press("Tab")
        page.keyboard.type(name)
    page.keyboard.press("Enter")


def ask_for_a_train(page: Page) -> None:
    page.fill("[name=train]:visible", "G79")
    page.select_option("[name=seat]:visible", "second")
    page.focus("[name=document_number]")


def test_a_queue_of_five_is_served_by_keyboard_alone(clerk: Page) -> None:
    ask_for_a_train(clerk)
    queue = [
        ("deny", DEBTOR, DEBTOR_NAME),
        ("allow", INNOCENT, ""),
        ("review", DEBTOR, OTHER_NAME),
        ("review", MASKED, MASKED_NAME),
        ("invalid", INNOCENT[:-1], ""),
    ]
    for decision, number, name in queue:
        type_guest(clerk, number, name)
        verdict = clerk.locator("[data-decision]")
        expect(verdict).to_have_attribute("data-decision", decision)
        expect(clerk.locator("[name=document_number]")).to_be_focused()
        expect(clerk.locator("[name=document_number]")).to_have_value("")
        assert number not in clerk.content()
        kept(clerk, f"desk-{decision}")
        clerk.keyboard.press("Escape")
        expect(verdict).to_have_count(0)


def test_a_verdict_has_a_word_a_symbol_and_the_way_out(clerk: Page) -> None:
    ask_for_a_train(clerk)
    type_guest(clerk, DEBTOR, DEBTOR_NAME)
    verdict = clerk.locator("[data-decision=deny]")
    for text in ("不可以", "中办发〔2016〕64号", "雷州市人民法院", "10 日内"):
        expect(verdict).to_contain_text(text)
    expect(verdict.locator("svg.symbol")).to_be_visible()


def test_the_desk_checks_without_a_script(browser: Browser, site: RunningService) -> None:
    with browser.new_context(base_url=site.url, java_script_enabled=False) as context:
        page = signed_in(context.new_page(), "/desk", site.keys["institution"])
        ask_for_a_train(page)
        type_guest(page, DEBTOR, DEBTOR_NAME)
        expect(page.locator("[data-decision]")).to_have_attribute("data-decision", "deny")
        assert DEBTOR not in page.content()
        page.goto("/desk?service_type=air")
        expect(page.locator("[name=flight]")).to_be_visible()


def test_the_desk_speaks_english_and_keeps_it(clerk: Page) -> None:
    clerk.click("text=English")
    expect(clerk.locator("html")).to_have_attribute("lang", "en")
    ask_for_a_train(clerk)
    type_guest(clerk, DEBTOR, DEBTOR_NAME)
    expect(clerk.locator("[data-decision=deny] h2")).to_contain_text("Not allowed")
    clerk.goto("/")
    expect(clerk.locator("html")).to_have_attribute("lang", "en")


def test_a_server_that_does_not_answer_never_looks_like_allowed(clerk: Page) -> None:
    ask_for_a_train(clerk)
    clerk.route("**/desk", lambda route: route.abort())
    type_guest(clerk, INNOCENT)
    expect(clerk.locator("#verdict [data-decision]")).to_have_attribute(
        "data-decision", "unavailable"
    )
    kept(clerk, "desk-unavailable")


def test_nobody_sees_the_desk_again_after_signing_out(clerk: Page) -> None:
    ask_for_a_train(clerk)
    type_guest(clerk, DEBTOR, DEBTOR_NAME)
    expect(clerk.locator("[data-decision=deny]")).to_be_visible()
    clerk.click("text=退出")
    clerk.wait_for_url("**/")
    clerk.go_back()
    expect(clerk.locator("[name=key]")).to_be_visible()
    expect(clerk.locator("[data-decision]")).to_have_count(0)


def test_a_wrong_key_and_a_key_of_another_role_do_not_open_the_desk(
    page: Page, site: RunningService
) -> None:
    refused = page.locator("[role=alert]:has-text('密钥无效')")
    for _ in range(TRIES):  # a server that is not sure of its keys asks to come again
        if refused.count():
            break
        page.goto("/desk")
        page.fill("[name=key]", "ck_" + "a" * 43)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(refused).to_be_visible()
    kept(page, "sign-in-wrong")
    page.fill("[name=key]", site.keys["court"])
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_contain_text("没有页面")


def test_each_door_of_the_first_page_leads_somewhere(page: Page) -> None:
    page.goto("/")
    kept(page, "home")
    doors = [door.get_attribute("href") for door in page.locator(".doors a").all()]
    assert doors
    for door in doors:
        assert door is not None
        assert page.request.get(door).ok, door
