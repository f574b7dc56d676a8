-- Writes what people have spent in months that are over (loadtest/past_spending.py), as the service
-- would have kept it.
--
-- Settings of the transaction say how much:
--   bench.steps      about so many steps, of 10/21 as many authorizations
--   bench.limit_fen  the cap of a month on the whole country's counter
--
-- Whoever is listed by a whole resident ID spends in turn, each person every nine hours, the last
-- of them before this month in Asia/Shanghai. Of ten authorizations seven are captured, two of
-- these in part, one is captured and in part given back, one is voided, one expires.

CREATE TEMPORARY TABLE capped ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY token) - 1 AS place, token, reasons, listings
FROM (
  SELECT document.token, jsonb_agg(jsonb_build_object(
    'code', 'capped', 'measure', 'cn-2016-64/2.7.3', 'role', 'debtor',
    'listing', jsonb_build_object('id', listing.id, 'case_number', listing.case_number,
      'court', listing.court, 'published_on', listing.published_on, 'kind', listing.kind),
    'remedy', jsonb_build_object('court', listing.court, 'apply_within_days', 10,
      'review_within_days', 3), 'is_public', true) ORDER BY listing.pk) AS reasons,
    array_agg(listing.id ORDER BY listing.id) AS listings
  FROM document JOIN listing ON listing.pk = document.listing_pk
  WHERE document.role = 'debtor' AND document.type = 'resident_id' AND NOT document.masked
    AND listing.until_version IS NULL
    -- Of whom other documents are known, these count too: left out, for simplicity.
    AND document.token NOT IN (SELECT token FROM bound_document)
  GROUP BY document.token
) AS listed;

CREATE TEMPORARY TABLE past ON COMMIT DROP AS
WITH size AS (
  SELECT count(*) AS persons, ceil(current_setting('bench.steps')::numeric * 10 / 21)::bigint AS n,
    date_trunc('month', now(), 'Asia/Shanghai') AS until,
    (SELECT array_agg(id ORDER BY id) FROM account WHERE role = 'institution') AS merchants
  FROM capped
), authorized AS (
  SELECT each.n, each.n % persons AS place, (each.n % persons + each.n / persons) % 10 AS way,
    merchants[1 + each.n % cardinality(merchants)] AS merchant,
    -- Within a turn one person after the other, all in an hour: n is the order of time.
    until - (size.n / persons + 1 - each.n / persons) * interval '9 hours'
      + (each.n % persons)::double precision / persons * interval '1 hour' AS at
  FROM size, generate_series(0, size.n - 1) AS each(n)
), spent AS (
  SELECT *, date_trunc('month', at, 'Asia/Shanghai') AS since,
    CASE WHEN way < 5 OR way = 7 THEN 1000 WHEN way < 7 THEN 600 ELSE 0 END AS captured,
    CASE WHEN way = 7 THEN 400 ELSE 0 END AS refunded
  FROM authorized
)
SELECT *, coalesce(sum(captured - refunded) OVER earlier, 0)::bigint AS captured_before
FROM spent
WINDOW earlier AS (
  PARTITION BY place, since ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
);

-- UUIDs of version 7, which sort by the time they were given out.
CREATE FUNCTION pg_temp.id_of(what text, n bigint, at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
  || '7' || substr(md5(what || n), 1, 3) || '8' || substr(md5(what || n), 4, 15))::uuid;

-- They are not chained: the chain of such a deployment has faults, its balances have none.
INSERT INTO decision (id, at, account_id, service, jurisdiction, outcome, reasons, list_version,
  listings, policy)
SELECT pg_temp.id_of('decision', n, at), at, merchant, 'resort', 'CN', 'cap', reasons,
  (SELECT max(version) FROM change), listings, (SELECT min(digest) FROM policy)
FROM past JOIN capped USING (place)
ORDER BY n;

INSERT INTO authorization_step (pk, authorization_id, number, kind, amount_fen, at,
  token, counter, counted_at, held_delta, captured_delta, expires_at,
  limit_fen, counts_from, counts_until, counted_tokens, held_after_fen, captured_after_fen,
  account_id, jurisdiction, venue, decision_id)
SELECT above.pk + 3 * n + number, pg_temp.id_of('authorization', n, past.at), number, step.kind,
  step.amount, step.at, token, 'CN', past.at, step.held, step.captured, step.expires_at,
  step.limit_fen, step.since, step.until, step.tokens, step.held_after, step.captured_after,
  step.account_id, step.jurisdiction, step.venue, step.decision_id
FROM (SELECT coalesce(max(pk), 0) AS pk FROM authorization_step) AS above, past
JOIN capped USING (place)
CROSS JOIN LATERAL (
  SELECT 1 AS number, 'held' AS kind, 1000 AS amount, past.at, 1000 AS held, 0 AS captured,
    past.at + CASE WHEN way = 9 THEN interval '1 hour' ELSE interval '7 days' END AS expires_at,
    current_setting('bench.limit_fen')::bigint AS limit_fen, since,
    date_trunc('month', since + interval '32 days', 'Asia/Shanghai') AS until,
    token AS tokens, 1000 AS held_after, captured_before AS captured_after,
    merchant AS account_id, 'CN' AS jurisdiction, 'rated_resort' AS venue,
    pg_temp.id_of('decision', n, past.at) AS decision_id
  UNION ALL
  SELECT 2, CASE WHEN way < 8 THEN 'captured' WHEN way = 8 THEN 'voided' ELSE 'expired' END,
    CASE WHEN way < 8 THEN past.captured ELSE 1000 END, past.at + interval '2 hours',
    -1000, past.captured,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  UNION ALL
  SELECT 3, 'refunded', refunded, past.at + interval '3 hours', 0, -refunded,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  WHERE refunded > 0
) AS step
ORDER BY n, number;

INSERT INTO spending_total (token, counter, day, held_fen, captured_fen)
SELECT token, 'CN', (at AT TIME ZONE 'Asia/Shanghai')::date AS day, 0, sum(captured - refunded)
FROM past JOIN capped USING (place)
GROUP BY token, day ORDER BY token, day;

SELECT setval(pg_get_serial_sequence('authorization_step', 'pk'), max(pk))
FROM authorization_step;
