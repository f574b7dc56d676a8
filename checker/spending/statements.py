"""The statements of spending's record, each made once."""

from sqlalchemy import ARRAY, LargeBinary, any_, bindparam, delete, func, select, text, union
from sqlalchemy.dialects.postgresql import UUID

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
READ_GROUPS = select(_reaching.c.asked, _reaching.c.source)
"""All documents of the persons behind tokens and authorizations."""

LOCK = text(
    "SELECT pg_advisory_xact_lock(number)"
    " FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS wanted(number, place)"
)
"""Take locks one after the other, in the order of their numbers, until the transaction ends."""

READ_STEPS = (
    select(authorization_step)
    .where(_step.authorization_id == any_(_ids))
    .order_by(_step.authorization_id, _step.number)
)

READ_TOTALS = text(
    """
    SELECT token, counter, day,
           sum(held)::bigint AS held_fen,
           sum(captured)::bigint AS captured_fen,
           array_agg(authorization_id) FILTER (WHERE held > 0 AND until <= :now) AS lapsed
    FROM (
        SELECT token, counter, authorization_id,
               (counted_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
               sum(held_delta) AS held,
               sum(captured_delta) AS captured,
               max(expires_at) AS until
        FROM authorization_step
        WHERE token = ANY(CAST(:tokens AS bytea[]))
          AND counter = ANY(CAST(:counters AS text[]))
          AND counted_at >= :since
        GROUP BY token, counter, authorization_id, counted_at
    ) AS authorized
    GROUP BY token, counter, day
    """
)
"""Sums by document, counter and day, and the holds whose time is over and which nothing ended."""

READ_ANSWERS = text(
    """
    SELECT account_id, key, answer
    FROM idempotency_key
    JOIN unnest(CAST(:accounts AS text[]), CAST(:keys AS text[])) AS asked(account_id, key)
    USING (account_id, key)
    """
)

FORGET_ANSWERS = delete(idempotency_key).where(idempotency_key.c.at < bindparam("before"))

READ_SPENT = text(
    """
    SELECT wanted.place,
           coalesce(sum(authorized.held), 0)::bigint AS held_fen,
           coalesce(sum(authorized.captured), 0)::bigint AS captured_fen
    FROM unnest(
        CAST(:tokens AS bytea[]), CAST(:counters AS text[]),
        CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])
    ) WITH ORDINALITY AS wanted(token, counter, since, until, place)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN max(step.expires_at) > :now THEN sum(step.held_delta) ELSE 0 END AS held,
               sum(step.captured_delta) AS captured
        FROM authorization_step AS step
        WHERE step.token IN (
            SELECT wanted.token
            UNION
            SELECT other.token
            FROM bound_document AS own JOIN bound_document AS other USING (person)
            WHERE own.token = wanted.token
              AND own.until_version IS NULL AND other.until_version IS NULL
        )
          AND step.counter = wanted.counter
          AND step.counted_at >= wanted.since AND step.counted_at < wanted.until
        GROUP BY step.authorization_id
    ) AS authorized
    GROUP BY wanted.place
    """
)
"""What persons have spent by now, each on a counter in a period, by their place from 1."""
