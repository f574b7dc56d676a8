"""The console shows the figures of the API, their rows, and what is wrong first."""

from itertools import count

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from checker.web.console.room import ROOMS
from tests.browser.conftest import signed_in
from tests.browser.console_visits import asked, changed, console_of
from tests.browser.pictures import kept
from tests.support.running_service import RunningService, wait_until
from tests.support.town import COMPANY_NAME, DEBTOR_NAME

pytestmark = pytest.mark.xdist_group("browser")

NEXT = count()
OF_THE_SAME_PARTS = {"removals", "corrections", "feeds", "notices", "listings", "actions"}
"""Pages whose tables and forms axe sees on the other pages."""

PHONE = {"width": 390, "height": 844}


def shown(page: Page) -> dict[str, int]:
    """Return the figures of the page that are about the whole deployment."""
    figures = page.locator("dl [data-metric]")
    found = {
        each.get_attribute("data-metric") or "": each.get_attribute("data-value") or ""
        for each in figures.all()
    }
    return {name: int(text) for name, text in found.items() if text.isdigit()}


def by_the_api(site: RunningService, api: httpx.Client) -> dict[str, int]:
    listed, report = api.get("/v1/list").json(), api.get("/v1/reports").json()
    corrections = api.get("/v1/corrections", params={"status": "open", "limit": 1000}).json()
    webhooks = api.get("/v1/webhooks").json()["webhooks"]
    institutions = report["institutions"]
    return {
        "list_version": listed["version"],
        "nodes": len(listed["nodes"]),
        **{
            name: listed[name]
            for name in ("listings", "persons", "organizations", "masked", "unresolved_officers")
        },
        "overdue_removals": listed["overdue_removals"],
        "overdue_corrections": listed["overdue_corrections"],
        "open_corrections": len(corrections["corrections"]),
        "quarantine_open": len(api.get("/v1/feed/quarantine?limit=1000").json()["lines"]),
        "accounts_flagged": len(api.get("/v1/accounts?flagged=true").json()["accounts"]),
        "notices_pending": sum(each["pending"] for each in webhooks),
        "notices_dead": sum(each["dead"] for each in webhooks),
        **{
            name: sum(each[name] for each in institutions)
            for name in ("denied", "reviewed", "capped", "outcomes_missing")
        },
    }


def test_each_figure_is_the_one_of_the_api_and_leads_to_its_rows(
    operator: Page, site: RunningService, api: httpx.Client
) -> None:
    changed(
        site,
        {"op": "delist", "listing_id": "never-listed", "ground": "fulfilled"},
        {"op": "fulfil", "listing_id": "9", "on": "2020-01-02"},
    )
    decision_id = asked(site)
    with site.client(site.keys["institution"]) as institution:
        filing = {"decision_id": decision_id, "ground": "已履行", "contact": "a@example.com"}
        assert institution.post("/v1/corrections", json=filing).status_code == 201
        asked(site)
        address = f"/v1/checks/{decision_id}/outcomes"
        assert institution.post(address, json={"outcome": "refused"}).status_code == 201
    expected = by_the_api(site, api)

    def agree() -> bool:
        operator.reload()
        return {name: shown(operator).get(name) for name in expected} == expected

    wait_until(agree)
    figures = shown(operator)
    assert {"lag_ms_max", "lease"} <= figures.keys()
    assert figures["lease"] == 1
    assert expected["overdue_removals"] >= 1
    assert expected["outcomes_missing"] >= 1
    measures = {
        each["measure"]: each["denied"]
        for institution in api.get("/v1/reports").json()["institutions"]
        for each in institution["measures"]
    }
    cells = operator.locator("[data-metric=measure_denied]").all()
    assert cells
    for cell in cells:
        measure = cell.get_attribute("data-measure") or ""
        assert int(cell.get_attribute("data-value") or -1) == measures[measure]
    links = operator.locator("a[data-metric]").all()
    for address in {each.get_attribute("href") or "" for each in links}:
        assert operator.request.get(address).status == 200, address
    first = operator.locator("[data-alert]").first
    expect(first).to_have_attribute("data-alert", "overdue_removals")
    kept(operator, "console-overview", words_of="nav, h1, h2")
    first.locator("a").click()
    expect(operator.locator("tr[data-overdue]")).to_contain_text("（2016）粤0882执9号")


def test_a_figure_follows_by_itself_and_an_old_one_says_so(
    operator: Page, site: RunningService
) -> None:
    before = shown(operator)["quarantine_open"]
    changed(site, {"op": "unshield", "listing_id": f"nobody-{next(NEXT)}"})

    def follows() -> bool:
        operator.evaluate("refresh()")
        return shown(operator)["quarantine_open"] == before + 1

    wait_until(follows)
    silent = operator.locator("[data-silent]")
    expect(silent).to_be_hidden()
    operator.route("**/console", lambda route: route.abort())
    operator.evaluate("round()")
    expect(silent).to_be_visible()


def test_a_listing_is_found_by_its_case_and_shows_no_persons_name(operator: Page) -> None:
    operator.goto("/console/listings")
    operator.fill("#case", "（2016）粤0882执1号")
    operator.keyboard.press("Enter")
    expect(operator.locator("tr[data-listing='1']")).to_contain_text("陈**")
    assert DEBTOR_NAME not in operator.content()
    operator.goto("/console/listings?case=（2016）粤0882执2号")
    expect(operator.locator("tr[data-listing='2']")).to_contain_text(COMPANY_NAME)
    operator.goto("/console/listings?case=nothing")
    expect(operator.locator("[data-found='0']")).to_be_visible()


def test_a_decision_is_explained_in_the_words_of_the_api(
    operator: Page, site: RunningService
) -> None:
    decision_id = asked(site)
    with site.client(site.keys["auditor"]) as auditor:
        told = auditor.get(f"/v1/decisions/{decision_id}").json()
    operator.goto("/console/decisions")
    operator.fill("#id", decision_id)
    operator.keyboard.press("Enter")
    # The next navigation would break off the one that Enter has begun.
    operator.locator("[data-explanation]").wait_for()
    for language in ("zh", "en"):
        operator.goto(f"/console/decisions/{decision_id}?lang={language}")
        expect(operator.locator("[data-explanation]")).to_have_text(told["text"][language])
        reasons = operator.locator("[data-reason]").all_inner_texts()
        assert reasons == [each["text"][language] for each in told["reasons"]]


def test_the_first_page_leads_to_the_console_which_a_clerk_has_not(
    page: Page, site: RunningService
) -> None:
    page.goto("/")
    page.click("a[href='/console'] >> text=运行与监督")
    expect(page.locator("[name=key]")).to_be_visible()
    signed_in(page, "/desk", site.keys["institution"])
    page.locator("#check").wait_for()
    page.goto("/console")
    expect(page.locator("[name=key]")).to_be_visible()
    assert page.locator("[data-metric]").count() == 0


def test_the_console_works_without_a_script(browser: Browser, site: RunningService) -> None:
    with browser.new_context(base_url=site.url, java_script_enabled=False) as context:
        page = console_of(context.new_page(), site.keys["operator"])
        assert shown(page)["list_version"] >= 1
        page.goto("/console/accounts")
        page.click("text=institution")
        page.click("#new-key summary")
        page.click("text=建立密钥")
        expect(page.locator("[data-key]")).to_contain_text("ck_")


@pytest.mark.parametrize(("scheme", "language"), [("light", "zh"), ("dark", "en")])
def test_axe_finds_no_violation_in_the_console_and_a_phone_shows_each_page_whole(
    browser: Browser, site: RunningService, scheme: str, language: str
) -> None:
    with browser.new_context(base_url=site.url, color_scheme=scheme, viewport=PHONE) as context:
        page = console_of(context.new_page(), site.keys["operator"])
        page.goto(f"/console?lang={language}")
        accounts = page.request.get("/console/accounts").text()
        account = accounts.partition('data-account="')[2].partition('"')[0]
        addresses = [address for _, address in ROOMS] + [f"/console/accounts/{account}"]
        # In the dark the page with the most colours; the light has seen the others.
        for address in addresses if scheme == "light" else addresses[:1]:
            page.goto(address)
            expect(page.locator(f"html[lang|={language}]")).to_have_count(1)
            if address.rpartition("/")[2] not in OF_THE_SAME_PARTS:
                found = Axe().run(page)
                assert found.violations_count == 0, f"{address}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
