"""The socket on which all workers of a server listen, and the TLS of its connections.

All workers share one socket, which the main process opens. A connection waits in the queue of the
socket until a worker takes it. So the end of a worker loses no connection that waits, and the port
stays open while all workers are replaced.
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


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A port that was just given up may be taken again.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        text = f"cannot listen on {host}:{port}: {error.strerror}; --port takes another"
        raise ConfigurationError(text) from error
    listening.setblocking(False)
    return listening


def _no_password() -> str:
    raise ValueError("the key has a password")
