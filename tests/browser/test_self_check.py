"""A person on a phone, without scripts: looks themselves up, corrects the list, reads the law."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.pictures import kept
from tests.browser.test_desk_accessibility import assert_accessible
from tests.support.running_service import RunningService
from tests.support.town import (
    COURT,
    DEBTOR,
    DEBTOR_NAME,
    HIDDEN,
    INNOCENT,
    MASKED,
    MASKED_NAME,
    OTHER_NAME,
)

pytestmark = pytest.mark.xdist_group("browser")

PHONE: Any = {"width": 360, "height": 740}
PEOPLE = [
    ("yes", DEBTOR_NAME, DEBTOR),
    ("hidden", "周不公", HIDDEN),
    ("possible", MASKED_NAME, MASKED),
    ("no", "吴清白", INNOCENT),
    ("no-match", OTHER_NAME, DEBTOR),
]


@pytest.fixture
def phone(browser: Browser, site: RunningService) -> Iterator[Page]:
    """A phone whose browser runs no script, and asks no other host."""
    with browser.new_context(
        base_url=site.url, viewport=PHONE, java_script_enabled=False
    ) as context:
        opened = context.new_page()
        elsewhere: list[str] = []
        opened.on("request", lambda request: elsewhere.append(request.url))
        yield opened
        assert [url for url in elsewhere if not url.startswith(site.url)] == []


def look_up(page: Page, name: str, number: str) -> None:
    page.goto("/self-check")
    page.fill("[name=name]", name)
    page.fill("[name=document_number]", number)
    page.press("[name=document_number]", "Enter")


def test_each_person_sees_on_a_phone_what_the_list_says_of_them(phone: Page) -> None:
    shown = {}
    for state, name, number in PEOPLE:
        look_up(phone, name, number)
        result = phone.locator("[data-listed]")
        is_listed = state in {"yes", "hidden"}
        expect(result).to_have_attribute("data-listed", "yes" if is_listed else "no")
        expect(result.locator("svg.symbol")).to_be_visible()
        assert number not in phone.content()
        assert name not in phone.content()
        width = phone.locator("html").evaluate("element => element.scrollWidth")
        assert width <= PHONE["width"]
        kept(phone, f"self-check-{state}")
        shown[state] = result.inner_text()
    assert shown["no"] == shown["no-match"]
    assert COURT in shown["yes"]
    assert COURT in shown["hidden"]


def test_a_correction_is_filed_and_followed_without_a_script(phone: Page) -> None:
    look_up(phone, DEBTOR_NAME, DEBTOR)
    phone.click("text=现在申请更正")
    phone.select_option("[name=ground_code]", "performed")
    phone.fill("[name=ground]", "已于 2016 年履行完毕\n附：执行款收据")
    phone.fill("[name=contact]", "someone@example.com")
    phone.click("text=提交申请")
    number = phone.locator("[data-correction]").get_attribute("data-correction")
    assert number is not None
    expect(phone.locator(".keep")).to_have_text(number)
    kept(phone, "self-check-filed")
    phone.goto("/self-check")
    phone.click("text=查看更正申请的进度")
    phone.fill("[name=correction_id]", number)
    phone.press("[name=correction_id]", "Enter")
    expect(phone.locator("[data-correction-state]")).to_have_attribute(
        "data-correction-state", "open"
    )
    assert number not in phone.url
    kept(phone, "self-check-followed")


def test_a_phone_number_is_named_as_one_and_english_is_kept(phone: Page) -> None:
    phone.goto("/self-check?lang=en")
    look_up(phone, DEBTOR_NAME, "13800138000")
    expect(phone.locator("[role=alert]")).to_contain_text("phone number")
    look_up(phone, DEBTOR_NAME, DEBTOR)
    expect(phone.locator("[data-listed] h2")).to_have_text("You are on the list")
    phone.click("text=The law in plain words")
    expect(phone.locator("h1")).to_have_text("The law in plain words")
    kept(phone, "law")


def test_axe_finds_no_violation_in_the_self_check_and_the_law(
    browser: Browser, site: RunningService
) -> None:
    with browser.new_context(base_url=site.url, viewport=PHONE) as context:
        page = context.new_page()
        for path in ("/self-check/corrections", "/law"):
            page.goto(path)
            assert_accessible(page)
        faulty = ("fault", DEBTOR_NAME, "13800138000")
        for _, name, number in (faulty, PEOPLE[3], PEOPLE[2], PEOPLE[0]):
            look_up(page, name, number)
            page.locator("[data-listed], [data-fault]").wait_for()
            assert_accessible(page)
            assert_readable_in_the_dark(page)
        page.select_option("[name=ground_code]", "other")
        page.fill("[name=ground]", "请核实")
        page.fill("[name=contact]", "someone@example.com")
        page.click("#file button")
        page.locator("[data-correction]").wait_for()
        assert_accessible(page)
        page.click("main button")
        page.locator("[data-correction-state]").wait_for()
        assert_accessible(page)


def assert_readable_in_the_dark(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    found = Axe().run(page, options={"runOnly": ["color-contrast"]})
    assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="light")
