"""The SQL statements of spending, each built once."""

from sqlalchemy import (
    ARRAY,
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
from checker.registry.in_force import reach
from checker.spending.schema import authorization_step, idempotency_key

_step = authorization_step.c
_tokens = bindparam("tokens", type_=ARRAY(LargeBinary))
_ids = bindparam("ids", type_=ARRAY(UUID(as_uuid=False)))

_wanted = union(
    select(func.unnest(_tokens).label("token")),
    select(_step.token).where(_step.authorization_id == any_(_ids), _step.number == 1),
).cte("wanted")
_reaching = reach(_wanted).cte("reaching")
_groups = select(_reaching.c.asked, _reaching.c.source)
READ_GROUPS = union_all(
    _groups.add_columns(null().cast(UUID(as_uuid=False)).label("authorization_id")),
    select(_step.token, _step.token, _step.authorization_id).where(
        _step.authorization_id == any_(_ids), _step.number == 1
    ),
)
"""All documents of the persons behind tokens and authorizations, and the token of each
authorization."""

_asked_keys = (
    func.unnest(
        bindparam("accounts", type_=ARRAY(Text)), bindparam("keys", type_=ARRAY(LargeBinary))
    )
    .table_valued("account_id", "key_digest", name="asked_keys")
    .render_derived()
)
_key = idempotency_key.c
READ_BEHIND_LOCKS = union_all(
    _groups.add_columns(
        null().cast(Text).label("account_id"), null().cast(LargeBinary).label("answer")
    ),
    select(null().cast(LargeBinary), _key.key_digest, _key.account_id, _key.answer).join_from(
        _asked_keys,
        idempotency_key,
        (_key.account_id == _asked_keys.c.account_id)
        & (_key.key_digest == _asked_keys.c.key_digest),
    ),
)
"""All documents of the persons, and the kept answers: without `asked`, and with the digest of the
key as `source`."""

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

READ_COUNTED = text(
    """
    SELECT token, counter, day, held_fen, captured_fen, CAST(NULL AS uuid) AS lapsed_id
    FROM spending_total
    WHERE token = ANY(CAST(:tokens AS bytea[]))
      AND counter = ANY(CAST(:counters AS text[]))
      AND day >= :since
    UNION ALL
    SELECT token, counter, day, held_fen, 0, authorization_id
    FROM open_hold
    WHERE token = ANY(CAST(:tokens AS bytea[]))
      AND counter = ANY(CAST(:counters AS text[]))
      AND expires_at <= :now
    """
)
"""The sums of some documents; with `lapsed_id`, holds whose time is over and nothing has ended."""

PUT = text(
    f"""
    WITH kept AS ({KEEP_ROWS}), stepped AS (
        INSERT INTO authorization_step (authorization_id, number, kind, amount_fen, at, token,
            counter, counted_at, held_delta, captured_delta, expires_at, limit_fen, counts_from,
            counts_until, counted_tokens, held_after_fen, captured_after_fen, account_id,
            jurisdiction, venue, reference, decision_id)
        SELECT authorization_id, number, kind, amount_fen, at, decode(token, 'base64'),
            counter, counted_at, held_delta, captured_delta, expires_at, limit_fen, counts_from,
            counts_until, decode(counted_tokens, 'base64'), held_after_fen, captured_after_fen,
            account_id, jurisdiction, venue, decode(reference, 'base64'), decision_id
        FROM json_to_recordset(CAST(:steps AS json)) AS step(
            authorization_id uuid, number integer, kind text, amount_fen bigint, at timestamptz,
            token text, counter text, counted_at timestamptz, held_delta bigint,
            captured_delta bigint, expires_at timestamptz, limit_fen bigint,
            counts_from timestamptz, counts_until timestamptz, counted_tokens text,
            held_after_fen bigint, captured_after_fen bigint, account_id text, jurisdiction text,
            venue text, reference text, decision_id uuid)
    ), answered AS (
        INSERT INTO idempotency_key (account_id, key_digest, answer, at)
        SELECT *, CAST(:answered_at AS timestamptz) FROM unnest(
            CAST(:answer_accounts AS text[]), CAST(:answer_keys AS bytea[]),
            CAST(:answers AS bytea[])
        )
    ), added AS (
        INSERT INTO spending_total AS total (token, counter, day, held_fen, captured_fen)
        SELECT * FROM unnest(
            CAST(:tokens AS bytea[]), CAST(:counters AS text[]), CAST(:days AS date[]),
            CAST(:held AS bigint[]), CAST(:captured AS bigint[])
        )
        ON CONFLICT (token, counter, day) DO UPDATE
        SET held_fen = total.held_fen + excluded.held_fen,
            captured_fen = total.captured_fen + excluded.captured_fen
    ), put AS (
        INSERT INTO open_hold (authorization_id, token, counter, day, held_fen, expires_at)
        SELECT * FROM unnest(
            CAST(:open_ids AS uuid[]), CAST(:open_tokens AS bytea[]),
            CAST(:open_counters AS text[]), CAST(:open_days AS date[]),
            CAST(:open_held AS bigint[]), CAST(:open_until AS timestamptz[])
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
)
"""Keep decisions, steps and answers, update the sums and the open holds, and enter the steps in the
journal: in one round trip. No hold is both opened and ended. One JSON document has all steps: the
driver would encode and send each row alone."""

FORGET_ANSWERS = delete(idempotency_key).where(idempotency_key.c.at < bindparam("before"))

READ_SPENT = text(
    """
    WITH wanted AS (
        SELECT *
        FROM unnest(
            CAST(:places AS integer[]), CAST(:tokens AS bytea[]), CAST(:counters AS text[]),
            CAST(:since AS date[]), CAST(:until AS date[])
        ) AS asked(place, token, counter, since, until)
    ), reached AS (
        SELECT place, token, counter, since, until FROM wanted
        UNION
        SELECT wanted.place, other.token, wanted.counter, wanted.since, wanted.until
        FROM wanted
        JOIN bound_document AS own ON own.token = wanted.token AND own.until_version IS NULL
        JOIN bound_document AS other
          ON other.person = own.person AND other.until_version IS NULL
    )
    SELECT place, sum(held_fen)::bigint AS held_fen, sum(captured_fen)::bigint AS captured_fen
    FROM (
        SELECT reached.place, total.held_fen, total.captured_fen
        FROM reached
        JOIN spending_total AS total USING (token, counter)
        WHERE total.day >= reached.since AND total.day < reached.until
        UNION ALL
        SELECT reached.place, -lapsed.held_fen, 0
        FROM reached
        JOIN open_hold AS lapsed USING (token, counter)
        WHERE lapsed.day >= reached.since AND lapsed.day < reached.until
          AND lapsed.expires_at <= :now
    ) AS counted
    GROUP BY place
    """
)
"""The spending of persons so far, each on a counter in a period, by their place from 1."""

FALSE_TOTALS = text(
    """
    SELECT counter, day, made.held_fen, made.captured_fen,
           kept.held_fen AS kept_held_fen, kept.captured_fen AS kept_captured_fen
    FROM (
        SELECT token, counter, (counted_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
               sum(held_delta)::bigint AS held_fen, sum(captured_delta)::bigint AS captured_fen
        FROM authorization_step
        GROUP BY token, counter, day
    ) AS made
    FULL JOIN spending_total AS kept USING (token, counter, day)
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
