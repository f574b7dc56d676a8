"""Prometheus reads the alert rules, by its own tool."""

import os
import shutil
import subprocess


def test_prometheus_reads_the_alerts() -> None:
    promtool = shutil.which("promtool")
    assert promtool or not os.environ.get("CI"), "CI needs promtool"
    if promtool:
        rules = "deploy/prometheus/alerts.yml"
        subprocess.run([promtool, "check", "rules", rules], check=True, capture_output=True)
