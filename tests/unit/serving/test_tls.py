"""A handshake in memory: which callers the server admits, and which servers a caller admits."""

import ssl
from pathlib import Path

import pytest

from checker.serving.listening import TlsFiles, open_tls
from tests.support.certificates import EXPIRED, LOOPBACK, NOT_YET_VALID, Authority

CALLER = "陈示例"
"""A certificate of a caller may hold the name of a person."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


def server(authority: Authority, *, demands_callers: bool = False) -> ssl.SSLContext:
    files = authority.issue("server")
    client_ca = authority.file if demands_callers else None
    return open_tls(TlsFiles(certificate=files.certificate, key=files.key, client_ca=client_ca))


def caller(authority: Authority, versions: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.file)
    if versions is not None:
        context.minimum_version = context.maximum_version = versions
        # OpenSSL itself refuses old versions, unless it is asked for them.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def shake_hands(answering: ssl.SSLContext, asking: ssl.SSLContext) -> str | None:
    """Return the version of TLS. The error of the end that refuses the other is raised."""
    to_server, to_caller = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        asking.wrap_bio(to_caller, to_server, server_hostname=LOOPBACK),
        answering.wrap_bio(to_server, to_caller, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[1].version()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_a_version_of_tls_below_1_2_is_refused(
    authority: Authority, version: ssl.TLSVersion
) -> None:
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shake_hands(server(authority), caller(authority, version))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_versions_1_2_and_1_3_are_admitted(
    authority: Authority, version: ssl.TLSVersion
) -> None:
    shown = shake_hands(server(authority), caller(authority, version))
    assert shown == version.name.replace("_", ".")


def test_a_caller_with_a_valid_certificate_of_the_authority_is_admitted(
    authority: Authority,
) -> None:
    asking = caller(authority)
    asking.load_cert_chain(*authority.issue(CALLER))
    assert shake_hands(server(authority, demands_callers=True), asking) == "TLSv1.3"


@pytest.mark.parametrize("term", [EXPIRED, NOT_YET_VALID], ids=["expired", "not yet valid"])
def test_a_caller_whose_certificate_is_not_valid_now_is_refused(authority, term) -> None:
    asking = caller(authority)
    asking.load_cert_chain(*authority.issue(CALLER, term=term))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server(authority, demands_callers=True), asking)


def test_a_caller_with_a_certificate_of_another_authority_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    asking = caller(authority)
    # The other authority has the same name.
    asking.load_cert_chain(*Authority(tmp_path).issue(CALLER))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server(authority, demands_callers=True), asking)


def test_a_caller_without_a_certificate_is_refused(authority: Authority) -> None:
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake_hands(server(authority, demands_callers=True), caller(authority))
