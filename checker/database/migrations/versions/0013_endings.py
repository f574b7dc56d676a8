"""Endings of changes, which each change writes itself from now on.

The notices of the newest changes may be under way: the second pass has not done them. So the
endings of these changes are written here, as the record stood after each of them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UNDER_WAY = sa.text(
    """
    SELECT version, at, (at AT TIME ZONE INTERVAL '+08:00')::date AS day FROM change
    WHERE version > (SELECT min(version) FROM notice_progress) ORDER BY version
    """
)

_THEN = """
    directive_then AS NOT MATERIALIZED (
        SELECT * FROM directive
        WHERE from_version <= :version AND (until_version IS NULL OR until_version > :version)
    ), bound_then AS NOT MATERIALIZED (
        SELECT own.token AS own, other.token AS other
        FROM bound_document own JOIN bound_document other ON other.person = own.person
        WHERE own.token <> other.token AND own.from_version <= :version
        AND (own.until_version IS NULL OR own.until_version > :version)
        AND other.from_version <= :version
        AND (other.until_version IS NULL OR other.until_version > :version)
    )
"""

_OF_PERMITS = sa.text(
    f"""
    WITH {_THEN}, valid AS (
        SELECT id, token, services FROM permit
        WHERE from_version = :version AND (until_version IS NULL OR until_version > :version)
        AND valid_from <= :at AND valid_until > :at
    ), reached AS (
        SELECT v.id, v.services, d.listing_pk, d.role
        FROM valid v JOIN document d ON d.token = v.token
        UNION ALL
        SELECT v.id, v.services, d.listing_pk, d.role
        FROM valid v JOIN bound_then b ON b.own = v.token
        JOIN document d ON d.token = b.other AND NOT d.masked
    ), link AS (
        SELECT r.id, r.services, r.role, l.id AS listing_id, l.published_on, l.expires_on,
               l.until_version IS NULL OR l.until_version > :version AS in_force,
               NOT EXISTS (
                   SELECT FROM listing n WHERE n.id = l.id AND n.from_version > l.from_version
                   AND n.from_version <= :version
               ) AS is_latest,
               EXISTS (
                   SELECT FROM directive_then s WHERE s.listing_id = l.id AND s.kind = 'shielding'
               ) AS shielded,
               EXISTS (
                   SELECT FROM directive_then t WHERE t.listing_id = l.id
                   AND t.kind = 'retention' AND t."on" > :day
               ) AS retained,
               d."on" AS delisted_on
        FROM reached r JOIN listing l ON l.pk = r.listing_pk AND l.from_version <= :version
        LEFT JOIN directive_then d ON d.listing_id = l.id AND d.kind = 'delisting'
    ), standing AS (
        SELECT DISTINCT id, listing_id FROM link
        WHERE coalesce(published_on <= :day, true) AND (
            in_force AND NOT shielded AND coalesce(least(expires_on, delisted_on) > :day, true)
            OR is_latest AND retained AND (NOT shielded OR delisted_on <= :day)
        )
    )
    INSERT INTO ending (version, listing_id, ground, roles, permit_id, services)
    SELECT :version, listing_id, 'permit', array_agg(DISTINCT role), id, services
    FROM link JOIN standing USING (id, listing_id)
    GROUP BY id, services, listing_id ORDER BY id, listing_id
    """  # noqa: S608 - our own texts
)

_OF_LISTINGS = sa.text(
    f"""
    WITH {_THEN}, ended AS (
        SELECT o.id AS listing_id, o.pk AS old_pk, n.pk AS new_pk, n.expires_on,
               n.pk IS NOT NULL AND (n.expires_on IS NULL OR n.expires_on > :day) AS goes_on
        FROM listing o LEFT JOIN listing n ON n.id = o.id AND n.from_version = :version
        WHERE o.until_version = :version
    ), delisted AS (
        SELECT listing_id, ground, "on" FROM directive
        WHERE from_version = :version AND kind = 'delisting' AND "on" <= :day
    ), left_holder AS (
        SELECT e.listing_id, o.role, o.token
        FROM ended e JOIN document o ON o.listing_pk = e.old_pk
        WHERE e.goes_on AND NOT EXISTS (
            SELECT FROM document h
            JOIN document n ON n.listing_pk = e.new_pk AND (
                n.token = h.token
                OR ((n.masked OR h.masked) AND n.name_token = h.name_token)
                OR EXISTS (SELECT FROM bound_then b WHERE b.own = h.token AND b.other = n.token)
            )
            WHERE h.listing_pk = e.old_pk AND h.officer_pk IS NOT DISTINCT FROM o.officer_pk
        )
    ), left_role AS (
        SELECT listing_id, role FROM left_holder
        UNION
        SELECT g.listing_id, d.role
        FROM left_holder g JOIN listing l ON l.id = g.listing_id AND l.from_version <= :version
        JOIN document d ON d.listing_pk = l.pk AND d.token = g.token
        WHERE g.role <> 'debtor' AND d.role <> 'debtor'
    ), found AS (
        SELECT listing_id, 'shielded' AS ground, CAST(NULL AS date) AS "on",
               CAST(NULL AS text[]) AS roles, false AS is_final
        FROM directive WHERE from_version = :version AND kind = 'shielding'
        UNION ALL
        SELECT listing_id, 'party_replaced', NULL, ARRAY[role], false FROM left_role
        WHERE role = 'debtor' GROUP BY listing_id, role
        UNION ALL
        SELECT listing_id, 'officer_left', NULL, array_agg(DISTINCT role), false FROM left_role
        WHERE role <> 'debtor' GROUP BY listing_id
        UNION ALL
        SELECT listing_id, CASE WHEN expires_on IS NULL THEN 'removed' ELSE 'expired' END,
               expires_on, NULL, true
        FROM ended e
        WHERE NOT goes_on AND NOT EXISTS (SELECT FROM delisted d WHERE d.listing_id = e.listing_id)
        UNION ALL
        SELECT listing_id, ground, "on", NULL, true FROM delisted
    )
    INSERT INTO ending (version, listing_id, ground, "on", roles, kept)
    SELECT :version, listing_id, ground, "on", roles, CASE WHEN is_final THEN (
        SELECT array_agg(DISTINCT measure)
        FROM directive_then t CROSS JOIN unnest(t.measures) AS measure
        WHERE t.listing_id = f.listing_id AND t.kind = 'retention' AND t."on" > :day
    ) END
    FROM found f ORDER BY ground, listing_id
    """  # noqa: S608 - our own texts
)


def upgrade() -> None:
    op.create_table(
        "ending",
        sa.Column("pk", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("permit_id", sa.Text(), nullable=True),
        sa.Column("services", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("kept", postgresql.ARRAY(sa.Text()), nullable=True),
        # The key waits for changes that are being made, so that their endings are written below.
        sa.ForeignKeyConstraint(
            ["version"], ["change.version"], name=op.f("fk_ending_version_change")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_ending")),
    )
    op.create_index("ix_ending_version", "ending", ["version"])
    connection = op.get_bind()
    for made in connection.execute(_UNDER_WAY).all():
        values = {"version": made.version, "at": made.at, "day": made.day}
        for statement in (_OF_PERMITS, _OF_LISTINGS):
            used = {name: values[name] for name in statement.compile().params}
            connection.execute(statement, used)


def downgrade() -> None:
    op.drop_table("ending")
