"""The SQL statements of spending, each built once."""

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

BRING_UP = text(
    """
    WITH added AS (
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
        VALUES (CAST(:nonce AS bytea), CAST(:area AS text), CAST(:version AS bigint),
            CAST(:keys AS text[]), CAST(:digests AS bytea[]), CAST(:mac AS bytea))
    )
    DELETE FROM open_hold WHERE authorization_id = ANY(CAST(:ended AS uuid[]))
    """
)
"""Update the sums and the open holds, and enter the steps in the journal, in one round trip. No
hold is both opened and ended."""

READ_ANSWERS = text(
    """
    SELECT account_id, key_digest, answer
    FROM idempotency_key
    JOIN unnest(CAST(:accounts AS text[]), CAST(:keys AS bytea[])) AS asked(account_id, key_digest)
    USING (account_id, key_digest)
    """
)

FORGET_ANSWERS = delete(idempotency_key).where(idempotency_key.c.at < bindparam("before"))

READ_SPENT = text(
    """
    WITH wanted AS (
        SELECT *
        FROM unnest(
            CAST(:tokens AS bytea[]), CAST(:counters AS text[]),
            CAST(:since AS date[]), CAST(:until AS date[])
        ) WITH ORDINALITY AS asked(token, counter, since, until, place)
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
