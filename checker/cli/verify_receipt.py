"""`checker verify-receipt`: verifies a receipt, and the document that it is about.

With `--jwks` the command needs no deployment, so anybody who holds a receipt can run it.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import msgspec
from joserfc.jwk import OKPKey

from checker.cli.check import document_as_asked
from checker.cli.endings import ExitCode
from checker.cli.options import (
    deployment_options,
    json_option,
    print_json,
    run_in_deployment,
)
from checker.config import Config
from checker.domain.clock import SystemClock, instant_text, shanghai_day
from checker.domain.document import Document, normalize
from checker.domain.errors import InvalidDocument
from checker.errors import Unavailable
from checker.node.runtime import Runtime
from checker.receipts.errors import InvalidKeySet, InvalidReceipt
from checker.receipts.receipt import Claims, Receipt, is_about, read_opening
from checker.receipts.signature import PublicKeySet, read_key_set
from checker.receipts.verification import verify_receipt as verify

RECEIPT_BYTES_MAX = 64 << 10
KEY_SET_BYTES_MAX = 1 << 20
"""Room for a thousand keys, with further fields of other issuers."""
FETCH_TIMEOUT_S = 10.0
STANDARD_INPUT = "-"

_receipt_decoder = msgspec.json.Decoder(Receipt)


class ReceiptVerification(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification. `fault` is the reason why a receipt is not valid.

    `about_document` is None where the command names no document.
    """

    valid: bool
    fault: str | None = None
    kid: str | None = None
    claims: Claims | None = None
    about_document: bool | None = None


@click.command("verify-receipt")
@click.argument("receipt", default=STANDARD_INPUT)
@click.option(
    "--jwks",
    help="A file with the issuer's keys, or its address (https://…/.well-known/jwks.json); "
    "default: the keys of this deployment.",
)
@click.option("--opening", help="The receipt's opening, which proves its document.")
@click.option(
    "--document",
    help="TYPE:NUMBER that it should be about; a number alone is a resident ID; - reads it from "
    "standard input, where no list of processes shows it.",
)
@json_option
@deployment_options
def verify_receipt(
    config: Config,
    *,
    receipt: str,
    jwks: str | None,
    opening: str | None,
    document: str | None,
    as_json: bool,
) -> None:
    """Verify RECEIPT, a JWS, or {"jws", "opening"} as it was answered; without it, standard input.

    Exit code 3: not genuine, or not about the document.
    """
    if receipt == document == STANDARD_INPUT:
        raise click.UsageError("standard input holds the receipt or the document, not both")
    jws, opening_beside = _receipt(receipt)
    question = _question(opening or opening_beside, document)
    verdict = _verdict(jws, _keys(config, jwks), question)
    if as_json:
        print_json(verdict)
    else:
        _print(verdict)
    if not verdict.valid or verdict.about_document is False:
        sys.exit(ExitCode.FAULTS_FOUND)


def _receipt(text: str) -> tuple[str, str | None]:
    """Return the JWS, and the opening where the text holds one beside it."""
    if text == STANDARD_INPUT:
        text = sys.stdin.buffer.read(RECEIPT_BYTES_MAX).decode(errors="replace")
    text = text.strip()
    if not text:
        raise click.UsageError("there is no receipt to verify")
    if not text.startswith("{"):
        return text, None
    try:
        found = _receipt_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise click.BadParameter(
            'is neither a JWS nor {"jws", "opening"}', param_hint="RECEIPT"
        ) from None
    return found.jws, found.opening


def _question(opening: str | None, document: str | None) -> tuple[Document, bytes] | None:
    """Return the document and the opening; None without a document. No error repeats either."""
    if document is None:
        if opening is not None:
            _read_opening(opening)
        return None
    if opening is None:
        raise click.UsageError("whom a receipt is about is proved by its opening: --opening")
    try:
        asked = msgspec.convert(document_as_asked(document), Document)
        found = normalize(asked, shanghai_day(SystemClock().now()))
    except InvalidDocument as error:
        raise click.BadParameter(str(error), param_hint="--document") from None
    except msgspec.ValidationError:
        raise click.BadParameter("is not TYPE:NUMBER", param_hint="--document") from None
    return found, _read_opening(opening)


def _read_opening(text: str) -> bytes:
    try:
        return read_opening(text)
    except ValueError:
        raise click.BadParameter("is not 32 bytes in base64url", param_hint="--opening") from None


def _keys(config: Config, jwks: str | None) -> Mapping[str, OKPKey]:
    if jwks is None:
        return read_key_set(msgspec.json.encode(run_in_deployment(config, _published)))
    is_url = jwks.startswith(("http://", "https://"))
    try:
        return read_key_set(_fetched(jwks) if is_url else _content(Path(jwks)))
    except InvalidKeySet as error:
        raise click.BadParameter(f"holds {error}", param_hint="--jwks") from None


async def _published(runtime: Runtime) -> PublicKeySet:
    await runtime.receipt_keys.refresh()
    return runtime.receipt_keys.published()


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return _whole(stream.read(KEY_SET_BYTES_MAX + 1))
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
        raise click.BadParameter(text, param_hint="--jwks") from None


def _fetched(url: str) -> bytes:
    """Return the bytes of a key set. A redirection is refused: its keys may be another issuer's."""
    content = b""
    try:
        with httpx.stream("GET", url, timeout=FETCH_TIMEOUT_S) as response:
            if not response.is_success:
                raise Unavailable(f"the address of the keys answers {response.status_code}")
            for chunk in response.iter_bytes():
                content = _whole(content + chunk)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Unavailable("the keys cannot be fetched") from None
    return content


def _whole(content: bytes) -> bytes:
    if len(content) > KEY_SET_BYTES_MAX:
        raise click.BadParameter("is larger than any key set", param_hint="--jwks")
    return content


def _verdict(
    jws: str, keys: Mapping[str, OKPKey], question: tuple[Document, bytes] | None
) -> ReceiptVerification:
    try:
        verified = verify(jws, keys)
    except InvalidReceipt as error:
        return ReceiptVerification(valid=False, fault=str(error))
    return ReceiptVerification(
        valid=True,
        kid=verified.kid,
        claims=verified.claims,
        about_document=None if question is None else is_about(verified.claims, *question),
    )


def _print(verdict: ReceiptVerification) -> None:
    if verdict.claims is None:
        click.secho(f"not genuine: {verdict.fault}", fg="red", bold=True)
        return
    claims = verdict.claims
    click.secho("genuine", fg="green", bold=True)
    rows = {
        "decision": claims.decision.value,
        "service": claims.service.value,
        "measures": ", ".join(claims.measures) or "none",
        "list version": claims.list_version,
        "issued at": instant_text(datetime.fromtimestamp(claims.iat, UTC)),
        "issuer": claims.iss,
        "account": claims.aud,
        "decision id": claims.jti,
        "signed by": verdict.kid,
    }
    for name, value in rows.items():
        click.echo(f"  {name:<13} {value}")
    match verdict.about_document:
        case True:
            click.secho("about this document", fg="green", bold=True)
        case False:
            click.secho("not about this document, or not its opening", fg="red", bold=True)
        case None:
            click.echo("about whom is not asked: --opening and --document prove it")
