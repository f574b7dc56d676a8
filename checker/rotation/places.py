"""The one table of sealed columns: which column holds which place, and how its rows are named.

A rotation of the encryption key walks over these columns, and proves that no value is left under an
older key. A test compares the table with all `bytea` columns of the schema, with all places that
the code seals for, and with the docstring of `checker.vault`.

The name of a row is a list of SQL expressions. `sealed` is the table of the column. A name has the
token in hexadecimal digits, because a token never changes. So a column of stored tokens is read as
one (`checker.database.token_column`).
"""

from typing import Final

import msgspec


class TokenName(msgspec.Struct, frozen=True):
    """The part of a name that is a token: the SQL expression of its column."""

    sql: str


class SealedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column with sealed values. `place` is the first argument of `Vault.seal` after the text.

    `joined` is the SQL of a table from which the row's name comes. `is_chained`: the digests of a
    chain cover the sealed bytes, so the first sealing is kept, and rows without a link must wait.
    """

    table: str
    column: str
    place: str
    row: tuple[str | TokenName, ...]
    joined: str = ""
    is_chained: bool = False

    @property
    def name(self) -> str:
        """Table and column."""
        return f"{self.table}.{self.column}"


_TOKEN: Final = TokenName("sealed.token")
_OF_LISTING: Final = "JOIN listing ON listing.pk = sealed.listing_pk"
_LINKED: Final = (
    "JOIN chain_link ON chain_link.decision_id = sealed.decision_id"
    " AND chain_link.reported_pk = sealed.pk"
)


def _column(
    name: str,
    *row: str | TokenName,
    place: str | None = None,
    joined: str = "",
    is_chained: bool = False,
) -> SealedColumn:
    table, _, column = name.partition(".")
    return SealedColumn(
        table=table,
        column=column,
        place=place or name,
        row=row,
        joined=joined,
        is_chained=is_chained,
    )


SEALED_COLUMNS: Final[tuple[SealedColumn, ...]] = (
    _column("deployment.sealed_probe"),
    _column("deployment.sealed_journal_key"),
    _column("receipt_key.sealed_jwk", "CAST(sealed.number AS text)"),
    _column("webhook.url", "sealed.account_id"),
    _column("webhook.secret", "sealed.account_id"),
    _column("webhook.secret_before", "sealed.account_id", place="webhook.secret"),
    _column("listing.party_name", "sealed.id"),
    _column("officer_link.name", "listing.id", joined=_OF_LISTING),
    _column("document.number", "listing.id", _TOKEN, joined=_OF_LISTING),
    _column("bound_document.number", _TOKEN),
    _column("directive.basis", "sealed.listing_id"),
    _column("permit.number", "sealed.id"),
    _column("permit.ground", "sealed.id"),
    _column("quarantine.raw", "sealed.feed", "CAST(sealed.line AS text)"),
    _column("feed_request.answer", "encode(sealed.key_digest, 'hex')"),
    _column("decision.subject", "CAST(sealed.id AS text)"),
    _column(
        "reported_outcome.note",
        "CAST(sealed.decision_id AS text)",
        joined=_LINKED,
        is_chained=True,
    ),
    _column("authorization_step.reference", "CAST(sealed.authorization_id AS text)"),
    _column("idempotency_key.answer", "sealed.account_id", "encode(sealed.key_digest, 'hex')"),
    _column("correction.ground", "CAST(sealed.id AS text)"),
    _column("correction.contact", "CAST(sealed.id AS text)"),
    _column("correction.note", "CAST(sealed.id AS text)"),
    _column(
        "reconciliation_result.reference",
        "CAST(sealed.reconciliation_pk AS text)",
        "CAST(sealed.line AS text)",
    ),
)

PLACES_ON_REDIS: Final = frozenset({"web_session.content", "manifest.about", "manifest.sheet"})
"""Places of values that end by themselves, after twelve hours at most."""
