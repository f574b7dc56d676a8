-- Writes a list of millions (loadtest/large_list.py), as the service would have it.
--
-- Settings of the transaction say how much and where:
--   bench.persons   so many persons
--   bench.version   the change that brings them; it is numbered afterwards
--   bench.above     the highest number of a listing before
--
-- Of a hundred persons 12 or 13 have a second listing, two or three a third.

CREATE TEMPORARY TABLE person_listing ON COMMIT DROP AS
SELECT n, copy, current_setting('bench.above')::bigint + 3 * n + copy AS pk,
  date '2015-01-01' + (n % 4000)::int + copy AS published_on
FROM generate_series(1, current_setting('bench.persons')::bigint) n, generate_series(0, 2) copy
WHERE copy = 0 OR (copy = 1 AND n % 8 = 0) OR (copy = 2 AND n % 40 = 0);

CREATE FUNCTION pg_temp.token_of(n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN decode(md5('large ' || n), 'hex');

-- As long as what seals 3 to 18 characters; nobody opens it.
CREATE FUNCTION pg_temp.sealed(what text, n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN decode('01' || md5(what || n) || md5(n || what) || '00000000', 'hex');

INSERT INTO listing (pk, id, digest, case_number, court, filed_on, published_on, public,
  party_type, party_name, from_version)
SELECT pk, 'large-' || lpad(n::text, 9, '0') || '-' || copy, decode(md5(n || '-' || copy), 'hex'),
  '（2015）京0105执' || n || '号', '北京市朝阳区人民法院', published_on - 90, published_on, true,
  'person', pg_temp.sealed('name', n), current_setting('bench.version')::bigint
FROM person_listing;

INSERT INTO document (listing_pk, role, type, number, masked, token, name_token)
SELECT pk, 'debtor', 'resident_id', pg_temp.sealed('number', n), false, pg_temp.token_of(n),
  decode(md5('name ' || n), 'hex')
FROM person_listing;

-- checker/registry/outline.py: format 1; a link is role 0, first day since 1900, no last day.
-- In the order of tokens, as the service writes them after a snapshot.
INSERT INTO outline (token, outline)
SELECT pg_temp.token_of(n) AS token, decode('01' || string_agg('00'
  || lpad(to_hex(published_on - date '1900-01-01'), 4, '0') || 'ffff', '' ORDER BY copy), 'hex')
FROM person_listing GROUP BY n ORDER BY token;

SELECT setval(pg_get_serial_sequence('listing', 'pk'), (SELECT max(pk) FROM listing));
