"""A sheet on the desk: uploaded, confirmed, checked and fetched, and everything that goes wrong."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import signed_in
from tests.browser.pictures import kept
from tests.support.running_service import RunningService
from tests.support.sheets import cells_of, csv_of, workbook_of
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, MASKED, MASKED_NAME

pytestmark = pytest.mark.xdist_group("browser")

MANIFESTS = "/desk/manifests"
PATIENCE_MS = 60_000
"""A process starts for each sheet, which takes long on a busy machine."""
HEADERS = ["旅客姓名", "证件类型", "证件号码", "车次", "席别"]
GROUP = [
    HEADERS,
    [DEBTOR_NAME, "身份证", DEBTOR, "G79", "二等座"],
    ["吴清白", "身份证", INNOCENT, "G79", "二等座"],
    [MASKED_NAME, "身份证", MASKED, "G79", "二等座"],
    ["吴清白", "身份证", float(INNOCENT), "G79", "二等座"],
]
GUESTS = [["Name", "ID number"], [DEBTOR_NAME, DEBTOR], ["吴清白", INNOCENT]]
SCRIPT = '<img src=x onerror="document.title=1">'
FORMULA = '=HYPERLINK("http://127.0.0.1:9/"&B2)'


@pytest.fixture
def desk(page: Page, site: RunningService) -> Page:
    return opened(page, site)


def opened(page: Page, site: RunningService) -> Page:
    signed_in(page, MANIFESTS, site.keys["institution"])
    page.locator("[data-manifest]").wait_for()
    return page


def upload(page: Page, content: bytes, name: str = "七月团.xlsx") -> None:
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=content)
    page.set_input_files("[name=file]", file)
    page.click("form[enctype] button", timeout=PATIENCE_MS)
    page.wait_for_load_state()


def check(page: Page) -> None:
    page.click("#run button")
    page.locator("[data-manifest=done]").wait_for(timeout=PATIENCE_MS)


def fetch(page: Page) -> tuple[str, bytes]:
    with page.expect_download() as coming:
        page.click("#fetch button")
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_workbook_comes_back_with_a_decision_in_each_row(desk: Page) -> None:
    kept(desk, "manifest-upload")
    assert_accessible(desk)
    upload(desk, workbook_of([["七月团"], *GROUP]))
    columns = desk.locator("[data-manifest=columns]")
    expect(columns.locator("[data-column]")).to_have_count(5)
    expect(columns.locator("[data-column=E]")).to_contain_text("铁路 · 席别")
    expect(columns.locator("[data-people='4']")).to_be_visible()
    kept(desk, "manifest-columns")
    assert_accessible(desk)
    check(desk)
    counts = {
        each.get_attribute("data-count"): each.get_attribute("data-value")
        for each in desk.locator("[data-count]").all()
    }
    assert counts == {"not_checkable": "1", "deny": "1", "review": "1", "cap": "0", "allow": "1"}
    expect(desk.locator("[data-ending=not_checkable]")).to_have_attribute("data-row", "6")
    expect(desk.locator("[data-ending=not_checkable]")).to_contain_text("四舍五入")
    assert not [number for number in (DEBTOR, INNOCENT, MASKED) if number in desk.content()]
    kept(desk, "manifest-done")
    assert_accessible(desk)
    name, content = fetch(desk)
    assert name == "七月团-checked.xlsx"
    rows = cells_of(content)
    assert [row[5] for row in rows[1:]] == ["decision", "deny", "allow", "review", "not_checkable"]
    assert [row[:5] for row in rows[2:4]] == [tuple(row) for row in GROUP[1:3]]
    expect(desk.locator("[data-said=fetched]")).to_be_visible()
    kept(desk, "manifest-fetched")


def test_a_gbk_sheet_without_a_service_is_checked_on_a_phone_in_english(
    browser: Browser, site: RunningService
) -> None:
    phone = {"width": 375, "height": 700}
    with browser.new_context(base_url=site.url, viewport=phone, color_scheme="dark") as context:
        page = opened(context.new_page(), site)
        page.goto(f"{MANIFESTS}?lang=en")
        upload(page, csv_of(GUESTS, encoding="gbk"), "guests.csv")
        expect(page.locator("dl")).to_contain_text("GB18030")
        page.select_option("[name=service_type]", "lodging")
        page.select_option("[name=star_rating]:visible", "5")
        kept(page, "manifest-service-dark")
        assert_accessible(page)
        check(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
        kept(page, "manifest-phone-dark")
        assert_accessible(page)
        name, content = fetch(page)
        lines = content.decode("gbk").splitlines()
        assert name == "guests-checked.csv"
        assert [line.split(",")[2] for line in lines] == ["decision", "deny", "allow"]
        assert lines[0].startswith("Name,ID number,")


def test_a_sheet_is_checked_without_a_script_and_fetched_once(
    browser: Browser, site: RunningService
) -> None:
    with browser.new_context(base_url=site.url, java_script_enabled=False) as context:
        page = signed_in(context.new_page(), "/desk", site.keys["institution"])
        page.click("text=用表格核验名单")
        upload(page, csv_of(GUESTS), "客人.csv")
        page.click("a:has-text('出境游')")
        page.select_option("[name=product]", "group_tour")
        with page.expect_navigation():
            page.click("#run button")
        while page.locator("[data-manifest=running]").count():
            kept(page, "manifest-running-without-script")
            with page.expect_navigation():
                page.click("a:has-text('查看进度')")
        assert fetch(page)[0] == "客人-checked.csv"
        page.click("#fetch button")
        expect(page.locator("[data-said=gone]")).to_be_visible()


def test_a_bad_sheet_is_refused_with_a_sentence_in_both_languages(desk: Page) -> None:
    bad = {
        "twice": csv_of([["身份证号", "身份证号码", "车次"]]),
        "old_or_locked": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    }
    for fault, content in bad.items():
        upload(desk, content)
        expect(desk.locator("[data-fault]")).to_have_attribute("data-fault", fault)
        kept(desk, f"manifest-bad-{fault}")
        desk.goto(MANIFESTS)
    upload(desk, bytes(5 << 20))
    expect(desk.locator("[data-fault=too_large]")).to_contain_text("4 MB")
    desk.goto(f"{MANIFESTS}?lang=en")
    upload(desk, csv_of(GUESTS[1:]))
    expect(desk.locator("[data-fault=no_header]")).to_contain_text("There is no header")


def test_no_text_of_a_sheet_becomes_a_script_or_a_formula(desk: Page) -> None:
    rows = [["姓名", "身份证号", "车次", "席别", f"被保险人{SCRIPT}姓名"]]
    rows += [[f"'{FORMULA}", DEBTOR, "G79", "二等座", SCRIPT], [SCRIPT, INNOCENT, FORMULA, "", ""]]
    upload(desk, csv_of(rows), f"../{SCRIPT}.csv")
    expect(desk.locator("dl")).to_contain_text("-checked.csv")
    check(desk)
    assert "1" not in desk.title()
    name, content = fetch(desk)
    assert "/" not in name
    assert "<" not in name
    returned = [*csv.reader(io.StringIO(content.decode()))]
    assert [row[:5] for row in returned] == rows
    assert [row[5] for row in returned] == ["decision", "review", "not_checkable"]
    added = [text for row in returned for text in row[5:]]
    assert not [text for text in added if text.startswith(("=", "+", "-", "@"))]
    upload(desk, workbook_of([HEADERS, [FORMULA, "身份证", DEBTOR, FORMULA, "二等座"]]))
    check(desk)
    sheet = openpyxl.load_workbook(io.BytesIO(fetch(desk)[1])).worksheets[0]
    assert [cell.data_type for cell in sheet[2]][5:] == ["s", "s", "n", "s"]


def test_a_sheet_belongs_to_one_session_and_goes_with_it(
    desk: Page, browser: Browser, site: RunningService
) -> None:
    upload(desk, csv_of(GROUP))
    job = desk.locator("[name=job]").input_value()
    with browser.new_context(base_url=site.url) as context:
        other = opened(context.new_page(), site)
        expect(other.locator("[data-manifest=upload]")).to_be_visible()
        token = other.locator("[name=form_token]").first.input_value()
        for path in ("run", "file"):
            form = {"form_token": token, "job": job}
            answer = other.request.post(f"{MANIFESTS}/{path}", form=form)
            assert 'data-said="gone"' in answer.text()
        forged = other.request.post(MANIFESTS, multipart={"form_token": "x", "file": "x"})
        assert forged.status == 403
    desk.reload()
    expect(desk.locator("[data-manifest=columns]")).to_be_visible()
    desk.click("text=放弃")
    expect(desk.locator("[data-said=discarded]")).to_be_visible()
    upload(desk, csv_of(GROUP))
    desk.click("text=退出")
    desk.wait_for_url("**/")
    opened(desk, site)
    expect(desk.locator("[data-manifest=upload]")).to_be_visible()
