"""The term of the server's certificate: the days that are left, and the fault of a bad term.

A server with an expired certificate starts all the same: callers refuse the certificate, and a log
line and `checker doctor` name the cause. A server that did not start would name nothing to them.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509

from checker.errors import ConfigurationError

SOON: Final = timedelta(days=21)
"""The renewal of a certificate of 90 days is due a month before its end, and has failed by now."""


class CertificateTerm(msgspec.Struct, frozen=True, kw_only=True):
    """The first and the last instant at which a certificate is valid."""

    begins_at: datetime
    ends_at: datetime

    def days_left(self, now: datetime) -> int:
        """Return the whole days until the end; negative after the end."""
        return (self.ends_at - now) // timedelta(days=1)

    def fault(self, now: datetime) -> str | None:
        """Return why callers refuse the certificate; None: its term is right."""
        if now > self.ends_at:
            return f"has expired on {self.ends_at:%Y-%m-%d}"
        if now < self.begins_at:
            return f"is not valid before {self.begins_at:%Y-%m-%d %H:%M} UTC"
        return None

    def warning(self, now: datetime) -> str | None:
        """Return the fault, or that the end is near; None: there is nothing to do yet."""
        soon = f"expires in {self.days_left(now)} days" if self.ends_at - now < SOON else None
        return self.fault(now) or soon


def read_term(file: Path) -> CertificateTerm:
    """Return the term of the first certificate in a PEM file: the server's own.

    Raises:
        ConfigurationError: the file cannot be read, or has no certificate.
    """
    try:
        own = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        text = f"--tls-certificate: the file cannot be used ({type(error).__name__})"
        raise ConfigurationError(text) from None
    return CertificateTerm(begins_at=own.not_valid_before_utc, ends_at=own.not_valid_after_utc)
