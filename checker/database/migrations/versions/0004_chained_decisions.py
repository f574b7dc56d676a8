"""Decisions by month, what was reported on them, and a chain of digests over both."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Rows queue for the chain in the statement that writes them, whoever writes it.
_TRIGGERS = (
    """
    CREATE FUNCTION queue_decisions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO unchained (decision_id, decision_at) SELECT id, at FROM fresh;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER decision_is_chained AFTER INSERT ON decision
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION queue_decisions()
    """,
    """
    CREATE FUNCTION queue_reported_outcomes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO unchained (decision_id, decision_at, reported_pk)
        SELECT decision_id, decision_at, pk FROM fresh;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER reported_outcome_is_chained AFTER INSERT ON reported_outcome
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION queue_reported_outcomes()
    """,
    """
    CREATE FUNCTION refuse_to_change_decisions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('checker.moves_months', true) = 'on' THEN
            RETURN NULL;
        END IF;
        RAISE EXCEPTION 'what was decided and reported is never changed; it goes with its month';
    END $$
    """,
    """
    CREATE TRIGGER decision_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON decision
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_decisions()
    """,
    """
    CREATE TRIGGER reported_outcome_only_grows
    BEFORE UPDATE OR DELETE OR TRUNCATE ON reported_outcome
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_decisions()
    """,
    """
    CREATE TRIGGER rest_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON decision_month.rest
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_decisions();
    """,
)

# The kept rows show every listing. The list of that time says whether the answer showed it too.
# Where that list says nothing, the answer counts as one that did not show the listing.
_MOVE_ROWS = """
INSERT INTO decision
    (id, at, account_id, service, jurisdiction, outcome, reasons, permit_id, list_version, listings)
SELECT id, at, account_id, service, jurisdiction, outcome,
       (SELECT coalesce(jsonb_agg(each || jsonb_build_object('is_public', coalesce(
            (SELECT bool_and(listing.public) FROM listing
             WHERE listing.id = each -> 'listing' ->> 'id'
               AND listing.from_version <= decision_before.list_version
               AND (listing.until_version IS NULL
                    OR listing.until_version > decision_before.list_version)), false))
            ORDER BY place), '[]')
        FROM jsonb_array_elements(reasons) WITH ORDINALITY AS told(each, place)),
       permit_id, list_version,
       ARRAY(SELECT DISTINCT each -> 'listing' ->> 'id'
             FROM jsonb_array_elements(reasons) AS each
             WHERE each -> 'listing' ->> 'id' IS NOT NULL ORDER BY 1)
FROM decision_before
"""


def upgrade() -> None:
    # A step goes on naming its decision when the decision's month is over.
    op.drop_constraint(
        op.f("fk_authorization_step_decision_id_decision"), "authorization_step", type_="foreignkey"
    )
    op.rename_table("decision", "decision_before")
    for name in (
        "pk_decision",
        "fk_decision_account_id_account",
        "fk_decision_list_version_change",
    ):
        op.execute(f"ALTER TABLE decision_before RENAME CONSTRAINT {name} TO {name}_before")
    op.create_table(
        "decision",
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("permit_id", sa.Text(), nullable=True),
        sa.Column("list_version", sa.BigInteger(), nullable=False),
        sa.Column("listings", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("policy", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_decision_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["list_version"], ["change.version"], name=op.f("fk_decision_list_version_change")
        ),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_decision")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_decision_account_id_id", "decision", ["account_id", "id"])
    op.create_index("ix_decision_listings", "decision", ["listings"], postgresql_using="gin")
    op.execute("CREATE SCHEMA decision_month")
    op.execute("CREATE TABLE decision_month.rest PARTITION OF decision DEFAULT")
    _create_the_chain()
    for trigger in _TRIGGERS:
        op.execute(trigger)
    op.execute(_MOVE_ROWS)
    op.drop_table("decision_before")


def _create_the_chain() -> None:
    op.create_table(
        "reported_outcome",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("decision_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("decision_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('refused', 'sold', 'cancelled', 'overridden')",
            name=op.f("ck_reported_outcome_known_outcome"),
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_reported_outcome")),
    )
    op.create_index(op.f("ix_reported_outcome_decision_id"), "reported_outcome", ["decision_id"])
    op.create_table(
        "unchained",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("decision_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("decision_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_pk", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_unchained")),
    )
    op.create_table(
        "chain_link",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("decision_id", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("decision_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_pk", sa.BigInteger(), nullable=True),
        sa.Column("removal_pk", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(decision_id IS NULL) = (removal_pk IS NOT NULL)"
            " AND (decision_id IS NULL) = (decision_at IS NULL)"
            " AND (decision_id IS NOT NULL OR reported_pk IS NULL)",
            name=op.f("ck_chain_link_of_one_thing"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_chain_link")),
    )
    op.create_index(op.f("ix_chain_link_decision_id"), "chain_link", ["decision_id"])
    op.create_table(
        "removal",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decisions", sa.BigInteger(), nullable=False),
        sa.Column("reported_outcomes", sa.BigInteger(), nullable=False),
        sa.Column("kept_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_link", sa.BigInteger(), nullable=False),
        sa.Column("digest_before", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_removal")),
    )
    op.create_table(
        "policy",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policy")),
    )
    op.create_table(
        "check_tally",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_check_tally_account_id_account")
        ),
        sa.PrimaryKeyConstraint(
            "day", "account_id", "service", "outcome", name=op.f("pk_check_tally")
        ),
    )


def downgrade() -> None:
    op.drop_table("check_tally")
    op.drop_table("policy")
    op.drop_table("removal")
    op.drop_table("chain_link")
    op.drop_table("unchained")
    op.drop_table("reported_outcome")
    op.create_table(
        "decision_before",
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("permit_id", sa.Text(), nullable=True),
        sa.Column("list_version", sa.BigInteger(), nullable=False),
    )
    op.execute(
        "INSERT INTO decision_before SELECT id, at, account_id, service, jurisdiction, outcome,"
        " reasons, permit_id, list_version FROM decision"
    )
    op.drop_table("decision")
    op.execute("DROP SCHEMA decision_month CASCADE")
    for function in ("queue_decisions", "queue_reported_outcomes", "refuse_to_change_decisions"):
        op.execute(f"DROP FUNCTION {function}()")
    op.rename_table("decision_before", "decision")
    op.create_primary_key(op.f("pk_decision"), "decision", ["id"])
    op.create_foreign_key(
        op.f("fk_decision_account_id_account"), "decision", "account", ["account_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_decision_list_version_change"), "decision", "change", ["list_version"], ["version"]
    )
    op.create_foreign_key(
        op.f("fk_authorization_step_decision_id_decision"),
        "authorization_step",
        "decision",
        ["decision_id"],
        ["id"],
    )
