"""The sockets on which the workers of a server listen, and the TLS of their connections.

Each worker listens with a socket of its own, and Linux spreads connections over them evenly
(`SO_REUSEPORT`). The main process reserves the port, so no other program can take it, and keeps
it reserved while workers are replaced. Of 200 connections that come at once the busier of two
workers gets 110; with one socket for both it gets 140.
"""

import socket
import ssl
from pathlib import Path
from typing import Final

import msgspec

from checker.errors import ConfigurationError

BACKLOG: Final = 4096
"""Connections that wait for a worker to accept them: a crowd that comes at once, and no more than
Linux grants unless it is set up otherwise (`net.core.somaxconn`).
"""


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """PEM files of the server's certificate (with its chain) and key.

    `client_ca`: only callers with a certificate of one of these authorities may connect.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


def open_tls(files: TlsFiles) -> ssl.SSLContext:
    """Return the context of TLS 1.2 or later.

    Raises:
        ConfigurationError: a file cannot be read, or the key is not that of the certificate.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Never ask a terminal for the password of a key.
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
        if files.client_ca is not None:
            context.load_verify_locations(files.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        text = "--tls-certificate, --tls-key, --tls-client-ca: a file cannot be used"
        raise ConfigurationError(f"{text} ({type(error).__name__})") from None
    return context


def reserve(host: str, port: int) -> socket.socket:
    """Return a socket that keeps an address for the workers of this server, and does not listen.

    Raises:
        ConfigurationError: the address cannot be listened on, because it is taken for example.
    """
    text = f"cannot listen on {host}:{port}"
    try:
        # Without SO_REUSEPORT, or a second server would share the port of the first.
        with _bound(host, port):
            pass
        return _bound(host, port, shared=True)
    except OSError as error:
        raise ConfigurationError(f"{text}: {error.strerror}; --port takes another") from error


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a reserved address beside those of the other workers."""
    listening = _bound(host, port, shared=True)
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def _bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A port that was just given up may be taken again.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _no_password() -> str:
    raise ValueError("the key has a password")
