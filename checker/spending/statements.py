"""The SQL statements of spending, each built once."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    CompoundSelect,
    FromClause,
    LargeBinary,
    Text,
    any_,
    bindparam,
    delete,
    func,
    null,
    select,
    text,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import UUID

from checker.audit.decisions import KEEP_ROWS
from checker.database.token_column import TokenColumn
from checker.registry.in_force import in_force, reach
from checker.registry.schema import bound_document
from checker.spending.schema import authorization_step, idempotency_key

_step = authorization_step.c
_tokens = bindparam("tokens", type_=ARRAY(TokenColumn))
_ids = bindparam("ids", type_=ARRAY(UUID(as_uuid=False)))

_wanted = union(
    select(func.unnest(_tokens, type_=TokenColumn).label("token")),
    select(_step.token).where(_step.authorization_id == any_(_ids), _step.number == 1),
).cte("wanted")
_reaching = reach(_wanted).cte("reaching")
READ_GROUPS = union_all(
    select(
        _reaching.c.asked,
        _reaching.c.source,
        null().cast(UUID(as_uuid=False)).label("authorization_id"),
    ),
    select(_step.token, _step.token, _step.authorization_id).where(
        _step.authorization_id == any_(_ids), _step.number == 1
    ),
)
"""All documents of the persons behind tokens and authorizations, and the token of each
authorization."""


def _bindings_of(wanted: FromClause) -> CompoundSelect[Any]:
    """Return a statement for the tokens of `wanted` and for all documents bound to them."""
    own, other = bound_document.alias("own"), bound_document.alias("other")
    names = ("type", "number", "issuer")
    return union_all(
        select(
            wanted.c.token.label("asked"),
            wanted.c.token.label("source"),
            *(
                null().cast(own.c[name].type).label(f"{side}_{name}")
                for side in ("asked", "source")
                for name in names
            ),
        ),
        select(
            own.c.token,
            other.c.token,
            *(own.c[name] for name in names),
            *(other.c[name] for name in names),
        )
        .join_from(wanted, own, own.c.token == wanted.c.token)
        .join(other, own.c.person == other.c.person)
        .where(in_force(own), in_force(other)),
    )


_groups = _bindings_of(_wanted).cte("groups")
_asked_keys = (
    func.unnest(
        bindparam("accounts", type_=ARRAY(Text)), bindparam("keys", type_=ARRAY(LargeBinary))
    )
    .table_valued("account_id", "key_digest", name="asked_keys")
    .render_derived()
)
_key = idempotency_key.c
_answer = (_key.account_id, _key.key_digest, _key.answer)
READ_BEHIND_LOCKS = union_all(
    select(
        _groups,
        # Not the column's type: a foreign key has none until the other table is made.
        null().cast(Text).label("account_id"),
        *(null().cast(LargeBinary).label(each) for each in ("key_digest", "answer")),
    ),
    select(*(null().cast(column.type) for column in _groups.c), *_answer).join_from(
        _asked_keys,
        idempotency_key,
        (_key.account_id == _asked_keys.c.account_id)
        & (_key.key_digest == _asked_keys.c.key_digest),
    ),
)
"""All documents of the persons, and the kept answers, which have no `asked`."""

LOCK = text(
    "SELECT pg_advisory_xact_lock(number)"
    " FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS wanted(number, place)"
)
"""Take locks one after the other, in the order of their numbers, until the transaction ends."""

TRY_LOCK = text(
    "SELECT number FROM unnest(CAST(:numbers AS bigint[])) AS wanted(number)"
    " WHERE NOT pg_try_advisory_xact_lock(number)"
)
"""Take the locks that are free, until the transaction ends, and return the numbers of the others.

A lock for which somebody waits is not free, so nobody is overtaken for long."""

READ_STEPS = (
    select(authorization_step)
    .where(_step.authorization_id == any_(_ids))
    .order_by(_step.authorization_id, _step.number)
)

READ_BINDINGS = _bindings_of(
    select(func.unnest(_tokens, type_=TokenColumn).label("token")).cte("wanted")
)
"""The documents that are bound to tokens, for `checker.spending.bindings`."""

_COUNTED = text(
    """
    SELECT token, nullif(issuer, '') AS issuer, counter, day, held_fen, captured_fen,
           CAST(NULL AS uuid) AS lapsed_id
    FROM spending_total
    WHERE token = ANY(CAST(:tokens AS bytea[]))
      AND counter = ANY(CAST(:counters AS text[]))
      AND day >= :since
    UNION ALL
    SELECT token, issuer, counter, day, held_fen, 0, authorization_id
    FROM open_hold
    WHERE token = ANY(CAST(:tokens AS bytea[]))
      AND counter = ANY(CAST(:counters AS text[]))
      AND expires_at <= :now
    """
).bindparams(_tokens)
READ_COUNTED = _COUNTED.columns(token=TokenColumn)
"""The sums of some documents; with `lapsed_id`, holds whose time is over and nothing has ended."""

PUT = text(
    f"""
    WITH kept AS ({KEEP_ROWS}), stepped AS (
        INSERT INTO authorization_step (authorization_id, number, kind, amount_fen, at, token,
            issuer, counter, counted_at, held_delta, captured_delta, expires_at, limit_fen,
            counts_from, counts_until, counted_tokens, counted_issuers, held_after_fen,
            captured_after_fen, account_id, jurisdiction, venue, reference, decision_id)
        SELECT authorization_id, number, kind, amount_fen, at, decode(token, 'base64'),
            issuer, counter, counted_at, held_delta, captured_delta, expires_at, limit_fen,
            counts_from, counts_until, decode(counted_tokens, 'base64'), counted_issuers,
            held_after_fen, captured_after_fen, account_id, jurisdiction, venue,
            decode(reference, 'base64'), decision_id
        FROM json_to_recordset(CAST(:steps AS json)) AS step(
            authorization_id uuid, number integer, kind text, amount_fen bigint, at timestamptz,
            token text, issuer text, counter text, counted_at timestamptz, held_delta bigint,
            captured_delta bigint, expires_at timestamptz, limit_fen bigint,
            counts_from timestamptz, counts_until timestamptz, counted_tokens text,
            counted_issuers text, held_after_fen bigint, captured_after_fen bigint,
            account_id text, jurisdiction text, venue text, reference text, decision_id uuid)
    ), answered AS (
        INSERT INTO idempotency_key (account_id, key_digest, answer, at)
        SELECT *, CAST(:answered_at AS timestamptz) FROM unnest(
            CAST(:answer_accounts AS text[]), CAST(:answer_keys AS bytea[]),
            CAST(:answers AS bytea[])
        )
    ), added AS (
        INSERT INTO spending_total AS total
            (token, issuer, counter, day, held_fen, captured_fen)
        SELECT * FROM unnest(
            CAST(:tokens AS bytea[]), CAST(:issuers AS text[]), CAST(:counters AS text[]),
            CAST(:days AS date[]), CAST(:held AS bigint[]), CAST(:captured AS bigint[])
        )
        ON CONFLICT (token, issuer, counter, day) DO UPDATE
        SET held_fen = total.held_fen + excluded.held_fen,
            captured_fen = total.captured_fen + excluded.captured_fen
    ), put AS (
        INSERT INTO open_hold
            (authorization_id, token, issuer, counter, day, held_fen, expires_at)
        SELECT * FROM unnest(
            CAST(:open_ids AS uuid[]), CAST(:open_tokens AS bytea[]),
            CAST(:open_issuers AS text[]), CAST(:open_counters AS text[]),
            CAST(:open_days AS date[]), CAST(:open_held AS bigint[]),
            CAST(:open_until AS timestamptz[])
        )
        ON CONFLICT (authorization_id) DO UPDATE
        SET held_fen = excluded.held_fen, expires_at = excluded.expires_at
    ), entered AS (
        INSERT INTO journal (nonce, area, version, keys, digests, mac)
        SELECT CAST(:nonce AS bytea), CAST(:area AS text), CAST(:version AS bigint),
            CAST(:keys AS text[]), CAST(:digests AS bytea[]), CAST(:mac AS bytea)
        WHERE cardinality(CAST(:keys AS text[])) > 0
    )
    DELETE FROM open_hold WHERE authorization_id = ANY(CAST(:ended AS uuid[]))
    """  # noqa: S608 - no value of a caller is in it
).bindparams(_tokens, bindparam("open_tokens", type_=ARRAY(TokenColumn)))
"""Keep decisions, steps and answers, update the sums and the open holds, and enter the steps in the
journal: in one round trip. No hold is both opened and ended. One JSON document has all steps: the
driver would encode and send each row alone. The tokens of the steps are stored tokens."""

FORGET_ANSWERS = delete(idempotency_key).where(idempotency_key.c.at < bindparam("before"))

FALSE_TOTALS = text(
    """
    SELECT counter, day, made.held_fen, made.captured_fen,
           kept.held_fen AS kept_held_fen, kept.captured_fen AS kept_captured_fen
    FROM (
        SELECT token, coalesce(issuer, '') AS issuer, counter,
               (counted_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
               sum(held_delta)::bigint AS held_fen, sum(captured_delta)::bigint AS captured_fen
        FROM authorization_step
        GROUP BY token, coalesce(issuer, ''), counter, day
    ) AS made
    FULL JOIN spending_total AS kept USING (token, issuer, counter, day)
    WHERE made.held_fen IS DISTINCT FROM kept.held_fen
       OR made.captured_fen IS DISTINCT FROM kept.captured_fen
    """
)
"""The kept sums that differ from the sums over the steps."""

FALSE_OPEN = text(
    """
    SELECT authorization_id, made.held_fen, made.until,
           kept.held_fen AS kept_held_fen, kept.expires_at AS kept_until
    FROM (
        SELECT authorization_id, sum(held_delta)::bigint AS held_fen, max(expires_at) AS until
        FROM authorization_step
        GROUP BY authorization_id
        HAVING sum(held_delta) > 0
    ) AS made
    FULL JOIN open_hold AS kept USING (authorization_id)
    WHERE made.held_fen IS DISTINCT FROM kept.held_fen
       OR made.until IS DISTINCT FROM kept.expires_at
    """
)
"""The kept open holds that differ from those that the steps leave open."""
