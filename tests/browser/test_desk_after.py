"""After the verdict: the outcome, the slip, the hold of a resort, and a desk without a network."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import signed_in
from tests.browser.pictures import kept
from tests.browser.test_desk import ask_for_a_train, type_guest
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, DEBTOR_NAME, OTHER_NAME

pytestmark = pytest.mark.xdist_group("browser")


def test_an_outcome_is_one_key(clerk: Page) -> None:
    ask_for_a_train(clerk)
    type_guest(clerk, DEBTOR, DEBTOR_NAME)
    expect(clerk.locator("[data-decision=deny] .outcomes button")).to_have_count(3)
    clerk.keyboard.type("1")
    expect(clerk.locator("[data-outcome=refused]")).to_be_visible()
    expect(clerk.locator("[name=document_number]")).to_have_value("")
    kept(clerk, "desk-outcome")
    type_guest(clerk, DEBTOR, OTHER_NAME)
    expect(clerk.locator("[data-decision=review]")).to_be_visible()
    clerk.keyboard.type("4\n")
    expect(clerk.locator("[data-outcome=sold]")).to_be_visible()


def test_a_refusal_is_overridden_with_a_reason(clerk: Page) -> None:
    ask_for_a_train(clerk)
    type_guest(clerk, DEBTOR, DEBTOR_NAME)
    expect(clerk.locator("[data-decision=deny]")).to_be_visible()
    clerk.keyboard.type("3\n")
    expect(clerk.locator("[name=note]")).to_be_focused()
    clerk.keyboard.press("Enter")
    expect(clerk.locator("[data-outcome]")).to_have_count(0)
    clerk.keyboard.type("法院电话确认已履行\n")
    expect(clerk.locator("[data-outcome=overridden]")).to_be_visible()


def test_a_number_that_begins_like_a_command_is_a_number(clerk: Page) -> None:
    ask_for_a_train(clerk)
    type_guest(clerk, DEBTOR, DEBTOR_NAME)
    expect(clerk.locator("[data-decision=deny]")).to_be_visible()
    type_guest(clerk, DEBTOR, OTHER_NAME)  # its first digit is the key of an outcome
    expect(clerk.locator("[data-decision=review]")).to_be_visible()
    expect(clerk.locator("[data-outcome]")).to_have_count(0)


def test_a_slip_has_the_receipt_as_a_code_and_is_made_for_paper(clerk: Page) -> None:
    ask_for_a_train(clerk)
    clerk.check("[name=receipt]")
    clerk.focus("[name=document_number]")
    type_guest(clerk, DEBTOR, DEBTOR_NAME)
    expect(clerk.locator("[data-decision=deny] .ready")).to_be_visible()
    expect(clerk.locator("svg.qr")).to_be_hidden()
    clerk.evaluate("window.print = () => { document.body.dataset.printed = 'yes' }")
    clerk.keyboard.type("p\n")
    expect(clerk.locator("body[data-printed=yes]")).to_have_count(1)
    clerk.emulate_media(media="print")
    for width in (794, 302):
        clerk.set_viewport_size({"width": width, "height": 1000})
        expect(clerk.locator("svg.qr")).to_be_visible()
        expect(clerk.locator("#check")).to_be_hidden()
        assert clerk.evaluate("document.documentElement.scrollWidth") <= width
        kept(clerk, f"desk-slip-{width}")


def test_a_resort_holds_and_captures_and_refunds(clerk: Page) -> None:
    clerk.select_option("[name=service_type]", "resort")
    clerk.select_option("[name=venue]:visible", "rated_resort")
    clerk.fill("[name=amount_fen]:visible", "500元")
    expect(clerk.locator("#check output:visible")).to_have_text("= ¥500.00")
    clerk.focus("[name=document_number]")
    clerk.keyboard.type(DEBTOR)
    clerk.keyboard.press("Control+Enter")
    held = clerk.locator("[data-authorization=held]")
    expect(held.locator("meter")).to_have_count(2)
    kept(clerk, "desk-hold")
    clerk.fill("#amount-increment", "¥200")
    clerk.keyboard.press("Enter")
    expect(held).to_contain_text("¥700.00")
    clerk.fill("#amount-increment", "99999999")
    clerk.keyboard.press("Enter")
    expect(held).to_contain_text("没有追加")
    clerk.fill("#amount-capture", "60000")
    clerk.keyboard.press("Enter")
    expect(clerk.locator("[data-authorization=captured]")).to_contain_text("¥600.00")
    clerk.fill("#amount-refund", "60000")
    clerk.keyboard.press("Enter")
    expect(clerk.locator("[data-authorization=refunded]")).to_be_visible()
    clerk.focus("[name=document_number]")
    clerk.keyboard.type(DEBTOR)
    clerk.keyboard.press("Control+Enter")
    clerk.click("button[value=void]")
    expect(clerk.locator("[data-authorization=voided]")).to_be_visible()
    assert DEBTOR not in clerk.content()


def test_the_desk_without_a_network_says_so_and_keeps_no_answer(
    browser: Browser, site: RunningService
) -> None:
    with browser.new_context(base_url=site.url) as context:
        page = signed_in(context.new_page(), "/desk", site.keys["institution"])
        page.locator("#check").wait_for()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.reload()
        ask_for_a_train(page)
        type_guest(page, DEBTOR, DEBTOR_NAME)
        expect(page.locator("[data-decision=deny]")).to_be_visible()
        kept_addresses = page.evaluate(
            """async () => {
              const found = [];
              for (const name of await caches.keys())
                for (const each of await (await caches.open(name)).keys()) found.push(each.url);
              return found;
            }"""
        )
        assert all("/assets/" in address for address in kept_addresses)
        context.set_offline(True)
        page.goto("/desk")
        expect(page.locator("[data-decision]")).to_have_attribute("data-decision", "unavailable")


def test_a_session_that_has_ended_asks_for_the_key_again(clerk: Page) -> None:
    ask_for_a_train(clerk)
    clerk.context.clear_cookies()
    type_guest(clerk, DEBTOR, DEBTOR_NAME)
    expect(clerk.locator("[name=key]")).to_be_visible()
    assert DEBTOR not in clerk.content()


def test_a_hold_without_an_answer_keeps_its_key(clerk: Page) -> None:
    clerk.select_option("[name=service_type]", "resort")
    clerk.select_option("[name=venue]:visible", "rated_resort")
    clerk.fill("[name=amount_fen]:visible", "100")
    key = clerk.locator("#check [name=order_key]").input_value()
    clerk.focus("[name=document_number]")
    clerk.route("**/desk/holds", lambda route: route.abort(), times=1)
    for decision in ("unavailable", "cap"):
        assert clerk.locator("#check [name=order_key]").input_value() == key
        clerk.keyboard.type(DEBTOR)
        clerk.keyboard.press("Control+Enter")
        expect(clerk.locator("#verdict [data-decision]")).to_have_attribute(
            "data-decision", decision
        )
    assert clerk.locator("#check [name=order_key]").input_value() != key


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_verdict_first(
    browser: Browser, site: RunningService, scheme: str
) -> None:
    phone = {"width": 360, "height": 740}
    with browser.new_context(
        base_url=site.url, viewport=phone, color_scheme=scheme, service_workers="allow"
    ) as context:
        page = signed_in(context.new_page(), "/desk", site.keys["institution"])
        ask_for_a_train(page)
        type_guest(page, DEBTOR, DEBTOR_NAME)
        expect(page.locator("[data-decision=deny] h2")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
        kept(page, f"desk-phone-{scheme}")
