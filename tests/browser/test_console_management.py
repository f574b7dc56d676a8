"""Operators manage by the console, each action is logged, and auditors change nothing."""

from itertools import count

import httpx
import pytest
from playwright.sync_api import Page, expect

from checker.web.console.room import ROOMS
from tests.browser.console_visits import changed, console_of
from tests.browser.pictures import kept
from tests.support.running_service import RunningService, wait_until
from tests.support.town import WITH_X, listing, person
from tests.support.town import document as paper

pytestmark = pytest.mark.xdist_group("browser")

NEXT = count()


def test_an_account_and_a_key_are_made_used_and_revoked(
    operator: Page, site: RunningService
) -> None:
    operator.goto("/console/accounts")
    operator.click("#new-account summary")
    name = f"酒店 {next(NEXT)}"
    operator.fill("#name", name)
    operator.check("[name='service.lodging']")
    operator.fill("[name=items_per_minute]", "600")
    operator.fill("[name=networks]", "127.0.0.0/8")
    operator.click("form[action='/console/accounts'] >> text=建立账户")
    expect(operator.locator("h1")).to_contain_text(name)
    account_id = operator.locator("[data-account-id]").inner_text()
    operator.click("#new-key summary")
    operator.click("text=建立密钥")
    key = operator.locator("[data-key]").inner_text()
    kept(operator, "console-key")
    with site.client(key) as hotel:
        wait_until(lambda: hotel.get("/v1/measures").status_code == 200)
        operator.goto(f"/console/accounts/{account_id}")
        assert key not in operator.content()  # shown once
        operator.click("button.harm >> text=吊销")
        expect(operator.locator("[data-key-id] .tag.deny")).to_be_visible()
        wait_until(lambda: hotel.get("/v1/measures").status_code == 401)
    operator.click("#change summary")
    operator.fill("#change [name=items_per_day]", "7")
    operator.fill("#change [name=networks]", "")
    operator.click("text=保存更改")
    operator.click("text=停用账户")
    expect(operator.locator("dl.facts .tag.deny")).to_be_visible()
    actions = operator.locator("tr[data-action]")
    done = [each.get_attribute("data-action") for each in actions.all()]
    assert done == ["change_account"] * 2 + ["revoke_key", "create_key", "create_account"]
    expect(actions.first).to_contain_text("operator")
    with site.client(site.keys["operator"]) as client:
        view = client.get(f"/v1/accounts/{account_id}").json()
    assert (view["items_per_day"], view["networks"], view["services"]) == (7, None, ["lodging"])
    assert view["disabled_at"]
    operator.goto("/console/actions")
    expect(operator.locator("tr[data-door=command]").first).to_be_visible()
    expect(operator.locator("tr[data-door=console]").first).to_be_visible()


def test_a_forged_or_wrong_form_changes_nothing_and_a_wrong_one_names_the_field(
    operator: Page, api: httpx.Client
) -> None:
    accounts = api.get("/v1/accounts?limit=1000").json()["accounts"]
    own = next(each["id"] for each in accounts if each["name"] == "operator")
    assert operator.request.post("/console/accounts", form={"name": "forged"}).status == 403
    operator.goto("/console/accounts")
    operator.click("#new-account summary")
    operator.fill("#name", f"hotel {next(NEXT)}")
    operator.fill("[name=networks]", "no network")
    operator.click("form[action='/console/accounts'] >> text=建立账户")
    expect(operator.locator("[data-refused=invalid-request]")).to_be_visible()
    expect(operator.locator("code")).to_contain_text("networks")
    operator.goto(f"/console/accounts/{own}")
    operator.click("text=停用账户")
    expect(operator.locator("[data-refused=conflict]")).to_be_visible()
    assert len(api.get("/v1/accounts?limit=1000").json()["accounts"]) == len(accounts)


def test_a_line_in_quarantine_is_tried_again(operator: Page, site: RunningService) -> None:
    late = f"late-{next(NEXT)}"
    report = changed(site, {"op": "shield", "listing_id": late})
    assert report["rejected_count"] == 1
    line = listing(late, person("卫旧号", paper(WITH_X)), case_number="(2020)粤0882执77号")
    changed(site, {"op": "list", "listing": line})
    operator.goto("/console/quarantine")
    newest = operator.locator("tr[data-line]").last
    number = newest.get_attribute("data-line")
    newest.locator("button").click()
    expect(operator.locator("[data-retried]")).to_have_attribute("data-retried", "1")
    expect(operator.locator(f"tr[data-line='{number}']")).to_have_count(0)
    # Full-width brackets find the half-width ones of the feed.
    operator.goto("/console/listings?case=（2020）粤0882执77号")
    expect(operator.locator(f"tr[data-listing='{late}']")).to_be_visible()
    operator.goto("/console/actions")
    outcomes = operator.locator("tr[data-action=retry_quarantine]")
    expect(outcomes.first).to_have_attribute("data-outcome", "done")
    expect(outcomes.nth(1)).to_have_attribute("data-outcome", "begun")


def test_a_rebuild_is_started_and_followed(operator: Page) -> None:
    operator.goto("/console/rebuild")
    before = operator.locator("[data-generation]").get_attribute("data-generation")
    # Without the wait, the next step may meet the new page before its script.
    with operator.expect_navigation():
        operator.click("text=开始重建")

    def is_over() -> bool:
        operator.evaluate("refresh()")
        return operator.locator("[data-rebuild=over]").count() == 1

    wait_until(is_over)
    after = operator.locator("[data-generation]").get_attribute("data-generation")
    assert after != before


def test_an_auditor_sees_everything_and_changes_nothing(page: Page, site: RunningService) -> None:
    auditor = console_of(page, site.keys["auditor"])
    token = auditor.locator("[name=form_token]").first.get_attribute("value") or ""
    expect(auditor.locator("[data-read-only]")).to_be_visible()
    for _, address in ROOMS:
        found = auditor.request.get(address)
        assert found.status == 200, address
        # The form for signing out stands above the page.
        assert found.text().partition("<main")[2].count('method="post"') == 0, address
    auditor.goto("/console/accounts")
    auditor.click("text=institution")
    assert auditor.locator("main form").count() == 0
    account = auditor.locator("[data-account-id]").inner_text()
    for form in (
        "/console/accounts",
        f"/console/accounts/{account}/disable",
        f"/console/accounts/{account}/keys",
        "/console/quarantine/retry",
        "/console/notices/retry",
        "/console/rebuild",
    ):
        answer = auditor.request.post(form, form={"form_token": token, "disabled": "true"})
        assert answer.status == 403, form
        assert 'data-refused="auditor"' in answer.text()
