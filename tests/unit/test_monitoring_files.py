"""The alerts and the dashboard name metrics and labels that the service exports."""

import json
import re
from pathlib import Path

from tests.unit.test_docs_tables import METRIC, sources

ALERTS = Path("deploy/prometheus/alerts.yml")
DASHBOARD = Path("deploy/grafana/checker.json")
NAME = re.compile(r"\bchecker_\w+")
ENDS = ("_bucket", "_count", "_sum")


def exported() -> set[str]:
    names = set()
    for source in sources():
        for kind, name in METRIC.findall(source):
            names.add(f"{name}_total" if kind == "Counter" else name)
    return names


def metrics_in(text: str) -> set[str]:
    found = set()
    for name in NAME.findall(text):
        end = next((end for end in ENDS if name.endswith(end)), "")
        found.add(name.removesuffix(end))
    return found


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_the_alerts_ask_for_metrics_that_are_exported() -> None:
    asked = metrics_in("".join(re.findall(r"expr: (.*)", ALERTS.read_text(encoding="utf-8"))))
    assert asked
    assert asked <= exported()


def test_the_dashboard_shows_metrics_that_are_exported_and_leaves_none_out() -> None:
    shown = metrics_in(" ".join(expressions()))
    assert shown <= exported()
    assert exported() <= shown


def test_each_alert_says_what_to_do() -> None:
    text = ALERTS.read_text(encoding="utf-8")
    count = text.count("- alert:")
    assert text.count("action:") == text.count("summary:") == text.count("severity:") == count
