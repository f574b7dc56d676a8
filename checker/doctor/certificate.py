"""Examines the term of the server's certificate."""

from datetime import datetime
from pathlib import Path

from checker.doctor.finding import Finding
from checker.errors import ConfigurationError
from checker.serving.certificate import read_term

_MEND = "renew the file, then send SIGHUP to the server"


def examine_certificate(file: Path, now: datetime) -> Finding:
    """Return the finding about a certificate; it holds the days that are left."""
    name = "certificate"
    try:
        term = read_term(file)
    except ConfigurationError as error:
        return Finding.fault(name, str(error), "name the PEM file of the certificate")
    fault, warning = term.fault(now), term.warning(now)
    if fault is not None:
        return Finding.fault(name, fault, _MEND)
    if warning is not None:
        return Finding.warning(name, warning, _MEND)
    return Finding.ok(name, f"{term.days_left(now)} days left")
