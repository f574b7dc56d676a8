"""The publishing process opens the parts that it uses, and no part that answers somebody."""

import subprocess
import sys

from checker.node.publishing_parts import PublishingParts

ANSWERING = (
    "checker.api",
    "checker.checks",
    "checker.intake",
    "checker.node.assembly",
    "checker.node.runtime",
    "checker.receipts.receipt_keys",
    "checker.reconciliation",
    "checker.spending.spending",
    "cache.counting",
    "uvicorn",
    "litestar",
)
# A process that is spawned reads the script of its main process in, and that is the command line.
LIST_LOADED = """
import sys, checker.cli.entry, checker.serving.publishing_process
print("\\n".join(sorted(sys.modules)))
"""


def test_the_publishing_process_has_the_works_that_a_deployment_does_once():
    assert set(PublishingParts.__struct_fields__) == {
        "joining",
        "publisher",
        "audit_keeper",
        "key_renewal",
        "retention_keeper",
        "notice_keeper",
    }


def test_the_publishing_process_loads_no_part_that_answers():
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "checker.publication.publisher" in loaded
    assert [
        name for name in loaded if any(f"{name}.".startswith(f"{part}.") for part in ANSWERING)
    ] == []
