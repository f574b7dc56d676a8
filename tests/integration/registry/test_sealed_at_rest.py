"""Nothing personal stands open in PostgreSQL or Redis: every byte of both is searched."""

import pytest

from checker.formats.zxgk import ZXGK
from loadtest.crowd import ListForm
from loadtest.population import Population
from tests.support.registry_grounds import (
    check_of,
    company_listing,
    document,
    feed_of,
    name_of,
    ndjson,
    outcomes,
    person_listing,
    query,
    resident_id,
    uscc,
    with_token,
)

pytestmark = pytest.mark.anyio


async def test_no_number_and_no_name_of_the_list_stands_open_anywhere(node, redis_client):
    people = Population(13, 400)
    await node.feed.replace(feed_of(*people.listing_lines()))
    secrets = {
        text
        for listing in people.listings()
        for shown in listing.appearances
        for text in (shown.holder.name, *(document.number for document in shown.documents))
    }

    assert len(secrets) > 700
    await _assert_hidden(node, redis_client, secrets)


async def test_no_number_and_no_name_of_a_platform_file_stands_open_anywhere(node, redis_client):
    people = Population(17, 400)
    await node.feed.replace(feed_of(*people.zxgk_lines()), feed_format=ZXGK)
    secrets = {
        text
        for holder in people.holders(ListForm.ZXGK)
        for text in (holder.name, holder.documents[0].number)
    }

    await _assert_hidden(node, redis_client, secrets)


async def test_rejected_lines_and_unresolved_officers_stand_open_nowhere(node, redis_client):
    unresolved = {"role": "principal", "name": name_of(20)}
    lines = [
        person_listing(1),
        company_listing(2, officers=[unresolved]),
        person_listing(3) | {name_of(4): resident_id(4)},
        person_listing(5) | {"party": person_listing(5)["party"] | {"name": ""}},
        person_listing(6, party=person_listing(6)["party"] | {"documents": [_spoilt(6)]}),
    ]
    sent = ndjson(lines) + f'{{"id": "{resident_id(8)}'.encode() + b"\n\xb3\xc2" + _number(9)
    report = await node.feed.replace(feed_of(sent), allow_rejected=True)
    numbers = {resident_id(index) for index in (1, 3, 4, 5, 8, 9)} | {uscc(2)}
    names = {name_of(index) for index in (1, 3, 4, 6, 20)}

    assert report.rejected_count == 5
    told = "".join(line.detail for line in report.rejected)
    assert not [text for text in numbers | names if text in told]
    await _assert_hidden(node, redis_client, numbers | names | {_spoilt(6)["number"]})


async def test_a_check_leaves_nothing_of_an_innocent_in_either_store(node, redis_client):
    await node.feed.replace(feed_of(ndjson([person_listing(1)])))
    before = await _tables(node)
    number, name = resident_id(2), name_of(2)
    assert await outcomes(node, [check_of(number, name, reference="ORDER-1")]) == ["allow"]

    assert await _tables(node) == before
    subject = with_token(node.sealer, check_of(number, name)).subject
    tokens = {token.hex() for token in node.sealer.tokens_of(subject)}
    await _assert_hidden(node, redis_client, {number, name, "ORDER-1", *tokens})
    everything = await _everything(node, redis_client)
    assert not [token for token in tokens if bytes.fromhex(token) in everything]


async def test_the_search_itself_finds_what_stands_open(node, redis_client):
    await node.feed.replace(feed_of(ndjson([person_listing(1, case_number=resident_id(1))])))
    redis_client.hset("checker:left", "behind", name_of(1))

    for text in (resident_id(1), name_of(1)):
        with pytest.raises(AssertionError):
            await _assert_hidden(node, redis_client, {text})


async def _assert_hidden(node, client, secrets):
    everything = await _everything(node, client)
    shown = [
        text
        for text in secrets
        if any(form in everything for form in (text.encode(), text.encode().hex().encode()))
    ]
    assert not shown, f"{len(shown)} of {len(secrets)} stand open"


async def _everything(node, client):
    """Every value of every table and of every key, one after the other."""
    found = [value for row in await _tables(node) for value in row]
    keys = sorted(client.scan_iter())
    assert keys
    for key in keys:
        found += [key, *_values(client, key)]
    return b"\n".join(found)


def _values(client, key):
    match client.type(key):
        case b"hash":
            held = client.hgetall(key)
            return [*held, *held.values()]
        case b"stream":
            entries = [fields for _, fields in client.xrange(key)]
            return [value for fields in entries for value in fields.values()]
        case b"string":
            return [client.get(key) or b""]
        case _:
            return []  # it has just expired


async def _tables(node):
    """Every row of every table, but for what nodes say of themselves."""
    found = []
    tables = await query(
        node, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    assert len(tables) >= 8
    for [table] in sorted(tables):
        if table not in {"registry_lease", "encryption_key_holder"}:
            rows = await query(node, f'SELECT * FROM "{table}"')
            found += sorted([_bytes(value) for value in row] for row in rows)
    return found


def _bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


def _spoilt(index):
    """A number with a wrong check digit."""
    number = resident_id(index)
    return document(number[:17] + ("1" if number[17] != "1" else "2"))


def _number(index):
    return resident_id(index).encode()
