"""The term of the server's certificate: refused, near its end, or right."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checker.doctor.certificate import examine_certificate
from checker.errors import ConfigurationError
from checker.serving.certificate import CertificateTerm, read_term
from tests.support.certificates import DAY, Authority

BEGIN = datetime(2026, 11, 23, 1, 2, tzinfo=UTC)
TERM = CertificateTerm(begins_at=BEGIN, ends_at=BEGIN + 90 * DAY)


@pytest.mark.parametrize(
    ("passed", "fault", "warning"),
    [
        (-timedelta(seconds=1), "is not valid before 2026-11-23 01:02 UTC", None),
        (timedelta(0), None, None),
        (69 * DAY, None, None),
        (70 * DAY, None, "expires in 20 days"),
        (89.5 * DAY, None, "expires in 0 days"),
        (91 * DAY, "has expired on 2027-02-21", None),
    ],
)
def test_a_term_is_told_before_it_begins_near_its_end_and_after_it(
    passed: timedelta, fault: str | None, warning: str | None
) -> None:
    now = BEGIN + passed
    assert TERM.fault(now) == fault
    assert TERM.warning(now) == (fault or warning)


def test_the_doctor_reports_the_days_that_are_left(tmp_path: Path) -> None:
    file = Authority(tmp_path).issue("server", term=(-DAY, 60 * DAY)).certificate
    begin = datetime.now(UTC)
    shown = [
        (found.level, found.detail)
        for days in (0.5, 45.5, 60.5)
        for found in [examine_certificate(file, begin + days * DAY)]
    ]
    assert [level for level, _ in shown] == ["ok", "warning", "fault"]
    assert [detail for _, detail in shown[:2]] == ["59 days left", "expires in 14 days"]
    assert shown[2][1].startswith("has expired on ")


def test_the_first_certificate_of_a_chain_is_the_own_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("server", term=(-DAY, 60 * DAY)).certificate
    term = read_term(own)
    own.write_bytes(own.read_bytes() + authority.file.read_bytes())
    assert read_term(own) == term


@pytest.mark.parametrize("content", [None, b"", b"\0" * 64])
def test_a_file_without_a_certificate_is_a_fault_and_an_error(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "server.pem"
    if content is not None:
        file.write_bytes(content)
    assert examine_certificate(file, BEGIN).level == "fault"
    with pytest.raises(ConfigurationError, match="--tls-certificate"):
        read_term(file)
