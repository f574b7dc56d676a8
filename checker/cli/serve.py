"""`checker serve`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from checker.cli.options import beginning_options
from checker.config import Config
from checker.node.servers import open_servers
from checker.serving import server
from checker.serving.forked import begin_imports, call_forked
from checker.serving.listening import TlsFiles

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000

host_option = click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address.")
port_option = click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="Port."
)
workers_option = click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes."
)


def _tls_option(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, type=click.Path(path_type=Path, dir_okay=False), help=text)


@click.command()
@host_option
@port_option
@workers_option
@_tls_option("--tls-certificate", "PEM file of the certificate and its chain.")
@_tls_option("--tls-key", "PEM file of the certificate's key, without a password.")
@_tls_option("--tls-client-ca", "Admit only callers with a certificate of these authorities.")
@beginning_options
def serve(
    config: Config,
    *,
    host: str,
    port: int,
    workers: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
) -> None:
    """Answer checks over HTTP until stopped."""
    tls = _tls(tls_certificate, tls_key, tls_client_ca)
    begin_imports()
    server.refuse_unusable(host, port, tls)
    with open_servers(config) as named:
        call_forked("checker.node.trial:try_stores", named)
        server.serve(named, host=host, port=port, workers=workers, tls=tls)


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> TlsFiles | None:
    """Return the files of TLS; None: HTTP without TLS. Raises UsageError where one is missing."""
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise click.UsageError("TLS needs --tls-certificate and --tls-key")
    return TlsFiles(certificate=certificate, key=key, client_ca=client_ca)
