"""Issuers of passports, distinctions, and the grounds and effects of corrections.

Existing passports have no issuer in their rows. The form of a Chinese number still shows it, and
any other number counts as of an unknown issuer (`checker.domain.issuer`).

Existing decisions have no sealed subject. A court that distinguishes their document says so in the
feed, and nobody is notified of a distinction because of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_KINDS = "'shielding', 'fulfilment', 'delisting', 'retention'"
_GROUNDS = "'performed', 'namesake', 'impostor', 'left_office', 'human_review', 'other'"
_EFFECTS = "'delist', 'distinguish', 'remove_officer', 'none'"
_IN_FORCE = sa.text("until_version IS NULL")
_BOUND = "uq_bound_document_in_force"


def upgrade() -> None:
    for table in ("document", "bound_document", "permit", "directive", "ending"):
        op.add_column(table, sa.Column("issuer", sa.Text()))
    op.drop_index(_BOUND, "bound_document")
    op.create_index(
        _BOUND,
        "bound_document",
        ["token", sa.text("coalesce(issuer, '')")],
        unique=True,
        postgresql_where=_IN_FORCE,
    )
    op.add_column("directive", sa.Column("token", sa.LargeBinary()))
    op.add_column("directive", sa.Column("court", sa.Text()))
    op.drop_constraint(op.f("ck_directive_kind"), "directive")
    op.create_check_constraint("kind", "directive", f"kind IN ({_KINDS}, 'distinction')")
    op.create_check_constraint(
        "of_document", "directive", "(kind = 'distinction') = (token IS NOT NULL)"
    )
    op.create_index(
        "ix_directive_token",
        "directive",
        ["token"],
        postgresql_where=sa.text("token IS NOT NULL"),
    )
    op.add_column("ending", sa.Column("token", sa.LargeBinary()))
    op.add_column("decision", sa.Column("subject", sa.LargeBinary()))
    op.add_column("correction", sa.Column("ground_code", sa.Text()))
    op.add_column("correction", sa.Column("effect", sa.Text()))
    op.create_check_constraint("ground_code", "correction", f"ground_code IN ({_GROUNDS})")
    op.create_check_constraint("effect", "correction", f"effect IN ({_EFFECTS})")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_correction_effect"), "correction")
    op.drop_constraint(op.f("ck_correction_ground_code"), "correction")
    op.drop_column("correction", "effect")
    op.drop_column("correction", "ground_code")
    op.drop_column("decision", "subject")
    op.drop_column("ending", "token")
    op.drop_index("ix_directive_token", "directive")
    op.drop_constraint(op.f("ck_directive_of_document"), "directive")
    op.drop_constraint(op.f("ck_directive_kind"), "directive")
    op.execute("DELETE FROM directive WHERE kind = 'distinction'")
    op.create_check_constraint("kind", "directive", f"kind IN ({_KINDS})")
    op.drop_column("directive", "court")
    op.drop_column("directive", "token")
    op.drop_index(_BOUND, "bound_document")
    op.create_index(_BOUND, "bound_document", ["token"], unique=True, postgresql_where=_IN_FORCE)
    for table in ("ending", "directive", "permit", "bound_document", "document"):
        op.drop_column(table, "issuer")
