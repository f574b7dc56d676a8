"""The operator's runbook has a section for every alert, and every alert leads to its section."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.markdown_pages import DOCS, anchors
from tests.unit.test_docs_tables import rows, sources

RUNBOOK = (DOCS / "zh" / "runbook.md").read_text(encoding="utf-8")
ALERTS = [
    rule
    for group in yaml.safe_load(Path("deploy/prometheus/alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
URL = re.compile(r"\{\{ \$externalLabels\.checker_docs \}\}/zh/runbook\.html#([a-z]+)")
# Headings of sections that are about no alert.
OTHERS = {"principles", "first-look", "rotate-encryption-key", "link"}


def section(alert: str) -> str:
    _, heading, rest = RUNBOOK.partition(f"\n## {alert}：")
    assert heading, f"the runbook has no section for {alert}"
    return rest.partition("\n## ")[0]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_its_section_of_the_runbook(rule):
    found = URL.fullmatch(rule["annotations"]["runbook_url"])
    assert found is not None
    assert found[1] == rule["alert"].lower()
    assert found[1] in anchors(RUNBOOK)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_section_says_meaning_effect_steps_and_end(rule):
    text = section(rule["alert"])
    assert f"级别 `{rule['labels']['severity']}`" in text
    for part in ("**含义**", "**影响**", "\n1. ", "**恢复**"):
        assert part in text, part


def test_the_runbook_has_no_section_for_an_alert_that_is_gone():
    names = {rule["alert"].lower() for rule in ALERTS}
    headings = set(re.findall(r"^## .*\{#([\w-]+)\}$", RUNBOOK, re.MULTILINE))
    assert headings == names | OTHERS


def test_the_works_of_the_runbook_are_works_of_the_service():
    named = {name for row in rows(section("CheckerWorkFails"))[1:] for name in words_in(row[0])}
    text = "".join(sources())
    assert named
    assert [name for name in sorted(named) if f'"{name}"' not in text] == []


def words_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_metric_that_calls_for_an_alert_has_one():
    table = rows((DOCS / "metrics.md").read_text(encoding="utf-8"))[1:]
    asked = "".join(rule["expr"] for rule in ALERTS)
    missing = [
        name
        for row in table
        if row[2]
        for name in re.findall(r"checker_\w+", row[0])[-1:]
        if name not in asked
    ]
    assert missing == []
