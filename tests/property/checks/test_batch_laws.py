"""Laws of batches: the items that are read at once are read as one by one, and so are the results.

Nothing here reads a clock or a store. The tokens are real ones.
"""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.filter import BLOCK_BYTES
from cache.generation import Generation
from cache.replica import SIEVE_FROM, Replica
from cache.token import Token, Tokenizer
from checker.accounts.keys import AccountRole, Caller
from checker.api.batch_results import ItemError, batch_body, write_results
from checker.api.exchange import encode
from checker.api.problems import problem_of
from checker.audit.decisions import BatchIds
from checker.checks.answer import BatchItem, ListState
from checker.checks.batch_request import OpenBatch, ReadBatch, open_batch
from checker.checks.checks import Decided
from checker.checks.turns import give_way
from checker.domain.decision import ALLOWED, Decision, Outcome
from checker.domain.document import Document, DocumentType
from checker.domain.errors import InvalidDocument
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.resident_id import canonical_resident_id, check_digit
from checker.domain.resident_id_columns import are_canonical
from checker.domain.service import ServiceType
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer
from checker.vault import Vault
from tests.property.checks.sent_items import TODAY, bodies, near_numbers, plain_numbers
from tests.support.cache_keys import first_key
from tests.support.positions import position

SEALER = Sealer(Tokenizer(bytes(range(32))), Vault(bytes(32)))
ENTRIES = 3_000
KEY = first_key().first
STATE = ListState(version=1, history="h", as_of="1900-01-01T00:00:00.000Z", stale=False)


def caller(services: frozenset[ServiceType] | None) -> Caller:
    return Caller(
        key_pk=1,
        account_id="1",
        name="x",
        role=AccountRole.INSTITUTION,
        services=services,
        jurisdiction=Jurisdiction("4408"),
    )


def opened(body: bytes, services: frozenset[ServiceType] | None = None) -> OpenBatch:
    asked = open_batch(body, caller(services), TODAY, SEALER)
    return asyncio.run(asked)


def read_at_once(batch: OpenBatch) -> ReadBatch:
    return asyncio.run(batch.read_all(give_way))


def shown(item: Any) -> Any:
    """Return what can be compared of an item: errors have no equality."""
    if isinstance(item, PreparedCheck):
        return item
    return (type(item), str(item), getattr(item, "faults", ()))


def in_order(batch: ReadBatch) -> Iterator[Any]:
    checks = iter(batch.checks)
    for place in range(len(batch.checks) + len(batch.errors)):
        yield batch.errors[place] if place in batch.errors else next(checks)


@pytest.mark.parametrize("form", ["subjects", "checks"])
@given(data=st.data())
def test_a_batch_is_read_at_once_as_its_items_are_read_one_by_one(
    form: str, data: st.DataObject
) -> None:
    body = data.draw(bodies(form))
    scopes = [None] if form == "subjects" else [None, frozenset({ServiceType.RAIL})]
    services = data.draw(st.sampled_from(scopes))
    singly = opened(body, services)
    expected = [shown(singly.read(raw)) for raw in singly.raws]
    read = read_at_once(opened(body, services))
    assert [shown(item) for item in in_order(read)] == expected
    checks = list(read.checks)
    assert list(read.checks.tokens) == [SEALER.tokens_of(check.subject) for check in checks]
    assert read.checks.services(0, len(checks)) == [check.service for check in checks]
    assert read.checks.with_receipt == [at for at, check in enumerate(checks) if check.receipt]
    references = read.checks.references(0, len(checks)) or [None] * len(checks)
    assert references == [check.reference for check in checks]


@pytest.mark.parametrize("form", ["subjects", "checks"])
@given(data=st.data())
def test_the_results_of_a_batch_are_those_that_are_serialised_one_by_one(
    form: str, data: st.DataObject
) -> None:
    read = read_at_once(opened(data.draw(bodies(form, size=40))))
    count = len(read.checks)
    refused = Decision(outcome=Outcome.DENY)
    adverse = data.draw(st.sets(st.integers(0, max(count - 1, 0)), max_size=5))
    decisions = tuple(refused if at in adverse else ALLOWED for at in range(count))
    ids = BatchIds(count, {at: f"kept {at}" for at in adverse if at < count})
    by_registry = tuple(ids) if data.draw(st.booleans()) else ids
    decided = Decided(decisions=decisions, ids=by_registry, list=STATE, from_registry=0)
    results = asyncio.run(write_results(read, decided, {}, give_way))
    answers = iter(zip(read.checks, decisions, ids, strict=True))
    expected = []
    for item in in_order(read):
        if isinstance(item, PreparedCheck):
            check, decision, answer_id = next(answers)
            expected.append(
                encode(
                    BatchItem(id=answer_id, decision=decision.outcome, reference=check.reference)
                )
            )
        else:
            expected.append(encode(ItemError(error=problem_of(item))))
    assert batch_body(STATE, results) == batch_body(STATE, expected)


@given(numbers=st.lists(st.one_of(plain_numbers(), near_numbers()), max_size=50))
def test_a_number_that_is_taken_as_it_is_is_one_that_the_rule_leaves_as_it_is(
    numbers: list[str],
) -> None:
    for number, accepted in zip(numbers, are_canonical(numbers, TODAY), strict=True):
        try:
            canonical = canonical_resident_id(number, TODAY) == number
        except InvalidDocument:
            canonical = False
        # A leap day alone is left to the rule although the rule leaves it as it is.
        assert accepted == canonical or (canonical and number[10:14] == "0229")


def test_every_day_of_birth_is_taken_as_it_is_except_for_leap_days(seed: int) -> None:
    rng = Random(seed)
    first, today = date(1799, 12, 1), date(1906, 3, 10)
    days = [first + timedelta(days=at) for at in range((today - first).days + 60)]
    bodies = [f"440882{day:%Y%m%d}{rng.randrange(1000):03}" for day in days]
    accepted = are_canonical([body + check_digit(body) for body in bodies], today)
    expected = [
        date(1800, 1, 1) <= day <= today and (day.month, day.day) != (2, 29) for day in days
    ]
    assert accepted == expected


@pytest.mark.parametrize("count", [0, 1, SIEVE_FROM - 1, SIEVE_FROM, 1_000])
def test_many_tokens_are_ruled_out_as_one_by_one(seed: int, count: int) -> None:
    rng = Random(seed)
    generation = Generation.plan(
        position=position(1), token_key=KEY.fingerprint, entries=ENTRIES, segment_blocks=ENTRIES
    )
    bits = bytearray(generation.blocks * BLOCK_BYTES)
    replica = Replica(generation, position(1), bits, KEY)
    listed = [Token(rng.randbytes(16)) for _ in range(ENTRIES)]
    replica.add(listed)
    asked = [
        rng.choice(listed) if rng.random() < 0.1 else Token(rng.randbytes(16)) for _ in range(count)
    ]
    assert replica.maybes(b"".join(asked)) == [
        at for at, token in enumerate(asked) if replica.may_contain(token)
    ]
    assert replica.maybes(b"".join(listed)) == list(range(len(listed)))


@given(numbers=st.lists(plain_numbers(), max_size=20))
def test_many_resident_ids_have_the_tokens_that_each_has_alone(numbers: list[str]) -> None:
    documents = [Document(type=DocumentType.RESIDENT_ID, number=number) for number in numbers]
    assert SEALER.resident_tokens(numbers) == list(map(SEALER.document_token, documents))
