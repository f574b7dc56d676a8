"""The privacy pages name every table of the database and every family of keys in Redis."""

import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Table

from checker import vault
from checker.config import Config, load_config
from checker.database.metadata import metadata
from checker.intake.feed_requests import ANSWERS_KEPT as FEEDS_KEPT
from checker.intake.quarantine_rows import ACCOUNT_LINES_MAX
from checker.publication.outbox import KEPT_VERSIONS
from checker.reconciliation.reconciliations import KEPT as RESULTS_KEPT
from checker.spending.spending import ANSWERS_KEPT as ORDERS_KEPT
from checker.web.sessions import HOURS_MAX, IDLE_S
from tests.support.markdown_pages import DOCS, ROOT
from tests.unit.test_docs_tables import rows
from tests.unit.test_docs_tables import sources as python_files

PAGES = {
    name: (DOCS / name).read_text(encoding="utf-8") for name in ("privacy.md", "zh/privacy.md")
}
FAMILY = re.compile(r"<namespace>:(\S+)")
BUILT = re.compile(r'f"\{stem\}:([\w-]+)')
SEALED = re.compile(r"^    (\w+)\.\w+", re.MULTILINE)
# Columns by which a person is recognised: tokens, or sealed texts about the person.
OF_PERSONS = {"token", "name_token", "counted_tokens", "subject", "number", "party_name", "raw"}
# Sealed, and about no person, or on Redis, which has a table of its own.
OF_NOBODY = {"receipt_key", "deployment", "web_session", "manifest"}


def tables() -> dict[str, Table]:
    """Return all tables of the service, whichever module describes them."""
    for path in (ROOT / "checker").rglob("*.py"):
        if "= Table(" in path.read_text(encoding="utf-8"):
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return dict(metadata.tables)


def of_section(page: str, number: int) -> dict[str, list[str]]:
    """Return the rows of a page's table by the name in their first cell; the first table is 0."""
    with_tables = [part for part in PAGES[page].split("\n## ") if "\n|" in part]
    return {row[0].strip("`"): row[1:] for row in rows(with_tables[number])[1:]}


@pytest.mark.parametrize("page", PAGES)
def test_every_table_of_the_database_is_in_the_page_once(page: str):
    personal, others = of_section(page, 0), of_section(page, 1)
    assert personal.keys() & others.keys() == set()
    shown = personal.keys() | others.keys()
    assert sorted(tables().keys() - shown) == []
    assert sorted(shown - tables().keys()) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_table_with_personal_data_has_protection_term_and_reason(page: str):
    assert [name for name, cells in of_section(page, 0).items() if not all(cells)] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_table_with_a_token_or_a_sealed_text_is_among_those_with_personal_data(page: str):
    with_tokens = {
        name
        for name, table in tables().items()
        if any(
            column.name in OF_PERSONS and "BINARY" in repr(column.type).upper()
            for column in table.columns
        )
    }
    sealed = set(SEALED.findall(vault.__doc__ or "")) - OF_NOBODY
    assert {"listing", "webhook"} <= sealed
    assert with_tokens | sealed <= of_section(page, 0).keys()


@pytest.mark.parametrize("page", PAGES)
def test_every_family_of_keys_in_redis_is_in_the_page(page: str):
    sources = "".join(source for source in python_files() if "namespace" in source)
    families = of_section(page, 2).keys()
    assert families == set(FAMILY.findall(sources))
    # A key that no docstring names is built somewhere all the same.
    assert set(BUILT.findall(sources)) == {family.partition(":")[0] for family in families}


def config(folder: Path) -> Config:
    return load_config({}, data_dir=folder)


@pytest.mark.parametrize("page", PAGES)
def test_the_terms_of_the_page_are_those_of_the_program(page: str, tmp_path: Path):
    kept = {name: cells[2] for name, cells in of_section(page, 0).items()}
    session = of_section(page, 2)["session:<id>"][1]
    hour = timedelta(hours=1)
    shown = {
        "decision": config(tmp_path).decisions.keep_months,
        "feed_request": FEEDS_KEPT // hour,
        "idempotency_key": ORDERS_KEPT // hour,
        "reconciliation": RESULTS_KEPT.days,
        "reconciliation_result": RESULTS_KEPT.days,
    }
    for name, number in shown.items():
        assert re.findall(r"\d+", kept[name]) == [str(number)], name
    assert f"{KEPT_VERSIONS:,}".replace(",", " ") in kept["outbox"]
    assert f"{ACCOUNT_LINES_MAX:,}".replace(",", " ") in kept["quarantine"]
    assert re.findall(r"\d+", session) == [str(IDLE_S // 60), str(HOURS_MAX // hour)]


def test_both_languages_have_the_same_rows():
    english, chinese = PAGES
    for number in range(4):
        assert len(of_section(english, number)) == len(of_section(chinese, number))
