"""The policy of docs/add-a-jurisdiction.md loads, and gives the answers that the page shows."""

import json
import re
from enum import StrEnum

import msgspec
import pytest

from checker.domain.jurisdiction import parse_jurisdiction
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import Service
from checker.domain.standing import Link, Standing
from checker.policy.loader import PolicyText, builtin_policies, load_policies
from checker.policy.settings import load_settings
from checker.policy.vocabulary import FIELDS
from tests.support.every_service import LISTING, NOW
from tests.support.markdown_pages import DOCS
from tests.unit.test_docs_tables import rows

PAGE = (DOCS / "add-a-jurisdiction.md").read_text(encoding="utf-8")
POLICY, SETTINGS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
FILE = PolicyText(file="toy-2026-1.toml", text=POLICY)
BOOK = load_policies([*builtin_policies(), FILE], load_settings(SETTINGS, file="config.toml"))
COUNTY = parse_jurisdiction("449901")


def table(heading: str) -> list[list[str]]:
    return rows("|" + PAGE.partition(f"\n| {heading} |")[2].partition("\n\n")[0])[1:]


ANSWERS = table("role")


def decided(book, role: str, service: str) -> tuple[str, str]:
    standing = Standing(links=(Link(role=Role(role), listing=LISTING),))
    asked = msgspec.json.decode(service, type=Service)
    decision = decide(standing, asked, policy=book.effective(COUNTY), now=NOW)
    reasons = ", ".join(f"`{reason.code} {reason.measure}`" for reason in decision.reasons)
    return decision.outcome, reasons


@pytest.mark.parametrize(
    ("role", "service", "outcome", "reasons"), ANSWERS, ids=lambda cell: cell.strip("`")
)
def test_the_example_of_the_page_answers_as_the_page_says(role, service, outcome, reasons):
    assert decided(BOOK, role.strip("`"), service.strip("`")) == (outcome.strip("`"), reasons)


def test_without_the_setting_of_the_page_a_fee_gives_review():
    unset = load_policies([*builtin_policies(), FILE], {})
    outcome, reasons = decided(unset, "debtor", '{"type": "private_school", "annual_fee_fen": 1}')
    assert outcome == "review"
    assert "threshold_unset toy-2026-1/3.3" in reasons


def test_the_county_next_door_does_not_know_the_example():
    neighbour = BOOK.effective(parse_jurisdiction("449902"))
    assert not any(one.id.startswith("toy") for one in neighbour.measures)


def test_the_page_names_every_service_with_the_fields_that_a_condition_may_read():
    shown = {
        row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1].partition("(")[0]))
        for row in table("service")
    }
    assert shown == {service: set(fields) for service, fields in FIELDS.items()}


def test_the_page_names_the_kinds_of_fields_that_there_are():
    kinds = {kind for fields in FIELDS.values() for kind in fields.values()}
    assert all(kind in {int, bool} or issubclass(kind, StrEnum) for kind in kinds)
    assert len(table("kind of field")) == 3


def test_services_of_the_page_are_written_as_callers_send_them():
    assert all("type" in json.loads(row[1].strip("`")) for row in ANSWERS)
