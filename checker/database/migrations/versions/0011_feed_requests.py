"""Feeds under idempotency keys; keys are kept as digests; whose a line in quarantine is."""

import sqlalchemy as sa
from alembic import context, op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SLICE_ROWS = 10_000

_NEXT = sa.text(
    """
    SELECT account_id, key FROM idempotency_key
    WHERE (account_id, key) > (:account_id, :key)
    ORDER BY account_id, key LIMIT :limit
    """
)
_DIGEST = sa.text(
    """
    UPDATE idempotency_key AS kept SET key_digest = digested.digest
    FROM unnest(CAST(:accounts AS text[]), CAST(:keys AS text[]), CAST(:digests AS bytea[]))
        AS digested(account_id, key, digest)
    WHERE kept.account_id = digested.account_id AND kept.key = digested.key
    """
)


def upgrade() -> None:
    op.create_table(
        "feed_request",
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_feed_request")),
    )
    op.create_index(op.f("ix_feed_request_at"), "feed_request", ["at"], unique=False)
    op.add_column("quarantine", sa.Column("account_id", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_quarantine_account_id_account"), "quarantine", "account", ["account_id"], ["id"]
    )
    op.create_index("ix_quarantine_account_id", "quarantine", ["account_id", "pk"], unique=False)
    op.add_column("idempotency_key", sa.Column("key_digest", sa.LargeBinary(), nullable=True))
    _digest_keys()
    op.drop_constraint(op.f("pk_idempotency_key"), "idempotency_key", type_="primary")
    op.drop_column("idempotency_key", "key")
    op.create_primary_key(
        op.f("pk_idempotency_key"), "idempotency_key", ["account_id", "key_digest"]
    )


def _digest_keys() -> None:
    """Write the digest of each key that was kept as sent: a hold that is sent again must not count
    twice because of an upgrade, so no row may go before its time."""
    digest = context.config.attributes.get("key_digest")
    connection = op.get_bind()
    account_id = key = ""
    while rows := connection.execute(
        _NEXT, {"account_id": account_id, "key": key, "limit": SLICE_ROWS}
    ).all():
        if digest is None:
            raise RuntimeError("the keys that are kept need the deployment's token key")
        account_id, key = rows[-1]
        connection.execute(
            _DIGEST,
            {
                "accounts": [row.account_id for row in rows],
                "keys": [row.key for row in rows],
                "digests": [bytes(digest(row.account_id, row.key)) for row in rows],
            },
        )


def downgrade() -> None:
    op.drop_constraint(op.f("pk_idempotency_key"), "idempotency_key", type_="primary")
    # A digest gives no key back.
    op.execute("DELETE FROM idempotency_key")
    op.add_column("idempotency_key", sa.Column("key", sa.Text(), nullable=False))
    op.drop_column("idempotency_key", "key_digest")
    op.create_primary_key(op.f("pk_idempotency_key"), "idempotency_key", ["account_id", "key"])
    op.drop_index("ix_quarantine_account_id", table_name="quarantine")
    op.drop_column("quarantine", "account_id")
    op.drop_table("feed_request")
