"""Certificates for tests: an authority, and what it issues, for any time and any host."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOOPBACK = "127.0.0.1"
DAY = timedelta(days=1)
NOW = (-DAY, DAY)
EXPIRED = (-2 * DAY, -DAY)
NOT_YET_VALID = (DAY, 2 * DAY)
"""Terms of a certificate, from now: its first instant and its last one."""

Term = tuple[timedelta, timedelta]


class CertificateFiles(NamedTuple):
    """The PEM files of a certificate and of its key."""

    certificate: Path
    key: Path


class Authority:
    """Vouches for certificates. Its own certificate is `<name>.pem` in the folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        built = self._built(self._name, self._key, NOW, is_authority=True)
        self.file.write_bytes(built.sign(self._key, hashes.SHA256()).public_bytes(_PEM))

    def issue(self, name: str, *, term: Term = NOW, host: str = LOOPBACK) -> CertificateFiles:
        """Write `<name>.pem` and `<name>.key`; a file of this name is replaced."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([_general_name(host)])
        built = self._built(subject, key, term, is_authority=False).add_extension(names, False)
        files = CertificateFiles(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        files.certificate.write_bytes(built.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        files.key.write_bytes(
            key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        files.key.chmod(0o600)
        return files

    def _built(
        self, subject: x509.Name, key: "_Key", term: Term, *, is_authority: bool
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        basic = x509.BasicConstraints(ca=is_authority, path_length=None)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + term[0])
            .not_valid_after(now + term[1])
            .add_extension(basic, critical=True)
        )


_Key = ec.EllipticCurvePrivateKey
_PEM = serialization.Encoding.PEM


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
