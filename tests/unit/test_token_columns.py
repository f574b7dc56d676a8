"""Every token that Python and PostgreSQL exchange has the type of token columns.

Raw bytes would be found by nobody as soon as the token key is replaced.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import ARRAY, ClauseElement, LargeBinary, TextClause, bindparam, select, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect as driver_dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import SelectBase

import checker
from cache.token import Token
from cache.token_key import TokenKeys
from checker.database.token_column import KeyWatch, TokenColumn
from checker.database.token_fence import TokenKeyReplaced
from checker.registry import projection
from checker.registry.schema import outline
from checker.rotation.token_tables import TOKEN_TABLES
from tests.support.markdown_pages import ROOT
from tests.support.token_keys import held_keys
from tests.unit.test_privacy_pages import tables

RESULTS = {"token", "name_token", "counted_tokens", "asked", "source"}
"""Names under which statements return tokens."""
BYTES_BUT_NO_TOKENS = {"claims", "keys", "of_claim"}
NAMED = re.compile(r"\b(?:name_token|counted_tokens|token)\b")
SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE)\b")
# Statements by text that name a token: what each module does with their tokens.
BY_TEXT = {
    "checker.database.migrations.versions": "an upgrade knows the schema of its time",
    "checker.intake.staging": "COPY, and then within PostgreSQL",
    "checker.notices.holders": "typed",
    "checker.publication.outline_slices": "reads stored tokens for the cache",
    "checker.registry.endings": "within PostgreSQL",
    "checker.registry.projection": "a temporary table, filled within PostgreSQL",
    "checker.spending.statements": "typed; the steps come as stored rows",
}
TOKEN = Token(bytes(range(16)))


def statements() -> Iterator[tuple[str, Any]]:
    """Yield all statements that a module makes once, by name."""
    # All first: a column with a foreign key gets its type with the table that the key names.
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.walk_packages(checker.__path__, "checker.")
        if ".migrations" not in each.name and not each.name.endswith("__main__")
    ]
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, SelectBase | UpdateBase | TextClause):
                yield f"{module.__name__}.{name}", value
    for made in (projection._refresh, projection._refresh_all, projection._refresh_touched):
        yield made.__name__, made()
    yield "_touch", projection._touch()


def compiled(statement: ClauseElement) -> SQLCompiler:
    made = statement.compile(dialect=driver_dialect())
    assert isinstance(made, SQLCompiler)
    return made


def is_raw(kind: Any) -> bool:
    return isinstance(kind.item_type if isinstance(kind, ARRAY) else kind, LargeBinary)


def test_every_column_with_the_name_of_a_token_has_the_type_and_no_other_column() -> None:
    columns = {
        (name, column.name): type(column.type) is TokenColumn
        for name, table in tables().items()
        for column in table.c
    }
    typed = {place for place, is_typed in columns.items() if is_typed}
    named = {
        (name, column)
        for name, column in columns
        if re.fullmatch(r"(?:\w+_)?tokens?", column) and name != "deployment"
    }
    assert typed == named
    assert typed == {(place.table, column) for place in TOKEN_TABLES for column in place.columns}


def test_every_result_and_parameter_of_a_statement_that_is_a_token_has_the_type() -> None:
    faults = []
    seen = 0
    for name, statement in statements():
        made = compiled(statement)
        for result in made._result_columns:
            if result.keyname in RESULTS:
                seen += 1
                if type(result.type) is not TokenColumn:
                    faults.append(f"{name} returns {result.keyname}")
        for bound in made.binds.values():
            if "token" in str(bound.key) and is_raw(bound.type):
                faults.append(f"{name} takes {bound.key}")
            if is_raw(bound.type) and bound.key not in BYTES_BUT_NO_TOKENS and bound.value is None:
                faults.append(f"{name} takes bytes as {bound.key}: are they tokens?")
    assert faults == []
    assert seen > 30


def test_a_statement_by_text_that_names_a_token_is_known_here() -> None:
    found = set()
    for path in sorted((ROOT / "checker").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if module.startswith(("checker.rotation.token_", "checker.demo")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = node.value if isinstance(node, ast.Constant) else None
            if isinstance(words, str) and SQL.search(words) and NAMED.search(words):
                found.add(next((each for each in BY_TEXT if module.startswith(each)), module))
    assert found == set(BY_TEXT)


def dialect_with(keys: TokenKeys) -> Any:
    dialect = driver_dialect()
    dialect.checker_token_keys = keys
    return dialect


def test_a_token_is_stored_and_restored_under_the_current_key() -> None:
    keys = held_keys(2)
    dialect = dialect_with(keys)
    store = TokenColumn().bind_processor(dialect)
    restore = TokenColumn().result_processor(dialect, None)
    assert store(TOKEN) == keys.current.stored(TOKEN) != TOKEN
    assert restore(store(TOKEN + TOKEN)) == TOKEN + TOKEN
    keys.use(1)
    assert store(TOKEN) == restore(TOKEN) == TOKEN


@pytest.mark.parametrize("value", [None, b"", b"tampered"])
def test_a_value_that_is_no_token_comes_as_it_stands(value: bytes | None) -> None:
    assert TokenColumn().result_processor(dialect_with(held_keys(2)), None)(value) == value


def test_an_engine_without_keys_takes_no_token() -> None:
    with pytest.raises(AssertionError, match="opened with token_keys"):
        TokenColumn().bind_processor(driver_dialect())


def test_a_watch_ends_when_the_process_or_the_registry_has_another_key() -> None:
    keys = held_keys(2)
    watch = KeyWatch(SimpleNamespace(dialect=dialect_with(keys)))  # type: ignore[arg-type]
    watch.require()
    watch.require(2)
    with pytest.raises(TokenKeyReplaced):
        watch.require(3)
    keys.use(1)
    with pytest.raises(TokenKeyReplaced):
        watch.require()


def test_the_search_finds_a_result_and_a_parameter_without_the_type() -> None:
    raw = select(outline.c.token.cast(LargeBinary).label("token")).where(
        outline.c.token.cast(LargeBinary) == bindparam("tokens", type_=LargeBinary)
    )
    [result] = compiled(raw)._result_columns
    assert type(result.type) is not TokenColumn
    assert is_raw(compiled(raw).binds["tokens"].type)
    assert [each.name for each in compiled(text("SELECT :token"))._result_columns] == []
