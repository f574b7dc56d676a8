"""`checker verify-receipt` with keys from a file: no deployment, no server, no network."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from checker.cli.main import main
from checker.domain.decision import Outcome
from checker.domain.document import Document, DocumentType
from checker.domain.service import ServiceType
from checker.receipts.receipt import Claims, commitment
from checker.receipts.signature import PublicKeySet, base64url, kid_of, new_key, public_key, sign

NUMBER = "440882189001011230"
INNOCENT = "440882187307041230"
OPENING = bytes(range(32))
KEY = new_key()
CLAIMS = Claims(
    jti="decision-1",
    iat=int(datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC).timestamp()),
    iss="checker.example",
    aud="account-1",
    decision=Outcome.DENY,
    measures=("cn-2016-64/2.7.1",),
    list_version=42,
    service=ServiceType.RAIL,
    subject=commitment(Document(type=DocumentType.RESIDENT_ID, number=NUMBER), OPENING),
)
JWS = sign(msgspec.json.encode(CLAIMS), KEY, kid_of(KEY))
RECEIPT = json.dumps({"jws": JWS, "opening": base64url(OPENING)})
OF_WHOM = ("--opening", base64url(OPENING), "--document")


@pytest.fixture
def key_set(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    file.write_bytes(msgspec.json.encode(PublicKeySet(keys=(public_key(KEY),))))
    return file


def verify(key_set: Path, *arguments: str, typed: str = "") -> Result:
    data_dir = key_set.with_name("data")
    more = ("--jwks", str(key_set), "--data-dir", str(data_dir))
    result = CliRunner().invoke(main, ["verify-receipt", *arguments, *more], input=typed)
    assert not data_dir.exists()
    assert NUMBER not in result.output
    assert INNOCENT not in result.output
    assert "Traceback" not in result.output
    return result


def test_what_a_genuine_receipt_says_is_told(key_set: Path) -> None:
    result = verify(key_set, JWS)
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head == "genuine"
    told = dict(row.strip().split("  ", 1) for row in rows[:-1])
    assert {name: value.strip() for name, value in told.items()} == {
        "decision": "deny",
        "service": "rail",
        "measures": "cn-2016-64/2.7.1",
        "list version": "42",
        "issued at": "2026-11-23T01:02:03.000Z",
        "issuer": "checker.example",
        "account": "account-1",
        "decision id": "decision-1",
        "signed by": kid_of(KEY),
    }


# The receipt is another in each worker, so it is in no test's name.
@pytest.mark.parametrize(
    "typed", [JWS, f"\n{JWS}\n", RECEIPT], ids=["jws", "between line ends", "with its opening"]
)
def test_a_receipt_is_read_from_standard_input(key_set: Path, typed: str) -> None:
    assert verify(key_set, typed=typed).exit_code == 0
    assert verify(key_set, "-", typed=typed).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "typed", "is_about"),
    [
        ((JWS, *OF_WHOM, NUMBER), "", True),
        ((JWS, *OF_WHOM, f"resident_id:{NUMBER[:6]} {NUMBER[6:]}"), "", True),
        ((JWS, *OF_WHOM, "-"), f"resident_id:{NUMBER}\n", True),
        (("--document", NUMBER), RECEIPT, True),
        ((JWS, *OF_WHOM, INNOCENT), "", False),
        ((JWS, *OF_WHOM, "passport:P1234567"), "", False),
        ((JWS, "--opening", base64url(bytes(32)), "--document", NUMBER), "", False),
    ],
    ids=[
        "the number",
        "with a space",
        "typed",
        "with its opening",
        "another person",
        "another type",
        "another opening",
    ],
)
def test_an_opening_proves_whom_a_receipt_is_about(
    key_set: Path, arguments: tuple[str, ...], typed: str, is_about: bool
) -> None:
    result = verify(key_set, *arguments, "--json", typed=typed)
    told: dict[str, Any] = json.loads(result.stdout)
    assert (told["valid"], told["about_document"]) == (True, is_about)
    assert result.exit_code == (0 if is_about else 3)
    plain = verify(key_set, *arguments, typed=typed).stdout.splitlines()[-1]
    assert plain.startswith("about this" if is_about else "not about this")


ALTERED = JWS[:50] + ("x" if JWS[50] != "x" else "y") + JWS[51:]


@pytest.mark.parametrize(
    "jws",
    [
        "x",
        JWS[:-1],
        ALTERED,
        JWS + "=",
        sign(b"{}", KEY, kid_of(KEY)),
    ],
    ids=["no jws", "cut", "another letter", "padded", "no claims"],
)
def test_what_is_not_genuine_has_an_exit_code_of_its_own(key_set: Path, jws: str) -> None:
    result = verify(key_set, jws, *OF_WHOM, NUMBER)
    assert (result.exit_code, result.stdout[:13]) == (3, "not genuine: ")
    told = json.loads(verify(key_set, jws, "--json").stdout)
    assert (told["valid"], told["claims"], told["about_document"]) == (False, None, None)


def test_a_receipt_of_another_deployment_is_not_genuine(key_set: Path) -> None:
    key_set.write_bytes(msgspec.json.encode(PublicKeySet(keys=(public_key(new_key()),))))
    result = verify(key_set, JWS)
    assert (result.exit_code, "names no key" in result.stdout) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        ((), "", "no receipt"),
        ((), "{", "RECEIPT"),
        ((), "\ufffd", ""),
        (("-", *OF_WHOM, "-"), RECEIPT, "not both"),
        ((JWS, "--document", NUMBER), "", "--opening"),
        ((JWS, "--opening", "AAAA"), "", "--opening"),
        ((JWS, "--opening", "ä", "--document", NUMBER), "", "--opening"),
        ((JWS, *OF_WHOM, NUMBER[:17]), "", "--document"),
        ((JWS, *OF_WHOM, f"card:{NUMBER}"), "", "--document"),
        ((JWS, *OF_WHOM, ""), "", "--document"),
    ],
    ids=[
        "nothing",
        "half an object",
        "no text",
        "both typed",
        "no opening",
        "short opening",
        "foreign letter",
        "short number",
        "unknown type",
        "blank",
    ],
)
def test_wrong_usage_names_the_option_and_repeats_nothing(
    key_set: Path, arguments: tuple[str, ...], typed: str, told: str
) -> None:
    result = verify(key_set, *arguments, typed=typed)
    assert result.exit_code == (2 if told else 3)
    assert told in result.stderr


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": [{"kty": "OKP"}', " " * (1 << 21)])
def test_a_file_that_is_no_key_set_is_refused(key_set: Path, content: str) -> None:
    key_set.write_text(content)
    result = verify(key_set, JWS)
    assert (result.exit_code, "--jwks" in result.stderr) == (2, True)


def test_a_key_set_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    result = verify(tmp_path / "nowhere.json", JWS)
    assert (result.exit_code, "cannot be read" in result.stderr) == (2, True)


def test_keys_that_cannot_be_fetched_are_told_without_the_address() -> None:
    address = "http://127.0.0.1:1/secret"
    result = CliRunner().invoke(main, ["verify-receipt", JWS, "--jwks", address])
    assert (result.exit_code, result.stderr) == (1, "checker: the keys cannot be fetched\n")
