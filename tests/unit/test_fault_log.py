"""An outage in the log."""

import logging

from checker.fault_log import FaultLog

LOG = logging.getLogger("faults")


def test_a_fault_is_told_when_it_begins_changes_and_ends_and_never_quoted(caplog):
    faults = FaultLog(LOG, "asking")
    faults.passed()
    for error in (ValueError("440882189001011230"), ValueError(), KeyError(), KeyError()):
        faults.met(error)
    faults.passed()
    faults.passed()
    faults.met(KeyError())
    assert caplog.messages == [
        "asking fails: ValueError",
        "asking fails: KeyError",
        "asking works again",
        "asking fails: KeyError",
    ]
