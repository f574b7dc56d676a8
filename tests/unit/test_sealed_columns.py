"""The table of sealed columns has every sealed value of the schema and of the code."""

import ast
import importlib
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import LargeBinary

from checker import vault
from checker.rotation.places import PLACES_ON_REDIS, SEALED_COLUMNS
from tests.support.markdown_pages import ROOT
from tests.unit.test_privacy_pages import tables

ROW = re.compile(r"^    (\w+)\.(\w+(?:, (?:\w+\.)?\w+)*) +\S", re.MULTILINE)
SEALS = {"seal", "seal_bytes"}
# Bytes that are no sealed value: digests and codes, from which no text can be read.
# Tokens have a type of their own (`test_token_columns`).
NOT_SEALED = {
    "api_key": {"digest"},
    "chain_link": {"digest"},
    "correction": {"request"},
    "decision": {"policy"},
    "feed_request": {"key_digest", "request_digest"},
    "idempotency_key": {"key_digest"},
    "journal": {"nonce", "mac", "link"},
    "listing": {"digest"},
    "outbox": {"outline"},
    "outline": {"outline"},
    "permit": {"digest"},
    "permit_answer": {"claim"},
    "permit_use": {"claim"},
    "policy": {"digest"},
    "removal": {"digest_before"},
}


def of_schema() -> set[str]:
    """Return all columns of bytes that may hold a sealed value."""
    return {
        f"{name}.{column.name}"
        for name, table in tables().items()
        for column in table.c
        if isinstance(column.type, LargeBinary) and column.name not in NOT_SEALED.get(name, ())
    }


def of_docstring() -> set[str]:
    assert vault.__doc__ is not None
    return {
        each if "." in each else f"{table}.{each}"
        for table, columns in ROW.findall(vault.__doc__)
        for each in columns.split(", ")
    }


def of_code() -> Iterator[tuple[str, str]]:
    """Yield the place of every call that seals, with its file."""
    for path in sorted((ROOT / "checker").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if module == "checker.vault" or "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _seals(node):
                # The place stands behind the text, as a name or a text of the module.
                code = compile(ast.Expression(node.args[1]), str(path), "eval")
                names: Any = vars(importlib.import_module(module))
                yield str(eval(code, names)), module


def _seals(call: ast.Call) -> bool:
    if any(isinstance(each, ast.Starred) for each in call.args[:2]):
        return False  # passes on the place that a migration names
    named = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    # `Sealer.seal` makes the rows of an entry from the number of its line.
    return named in SEALS and not ast.unparse(call.func).endswith("sealer.seal")


def test_every_column_of_bytes_is_sealed_again_or_holds_no_sealed_value() -> None:
    assert of_schema() == {column.name for column in SEALED_COLUMNS}
    declared = {f"{table}.{name}" for table, names in NOT_SEALED.items() for name in names}
    known = {f"{name}.{column.name}" for name, table in tables().items() for column in table.c}
    assert declared - known == set()


def test_every_place_that_the_code_seals_for_is_in_the_table() -> None:
    places = {place for place, _ in of_code()}

    assert places == {column.place for column in SEALED_COLUMNS} | PLACES_ON_REDIS


def test_the_docstring_of_the_vault_has_the_same_places() -> None:
    assert of_docstring() == {column.place for column in SEALED_COLUMNS} | PLACES_ON_REDIS


def test_a_column_is_in_the_table_once() -> None:
    assert len({column.name for column in SEALED_COLUMNS}) == len(SEALED_COLUMNS)
