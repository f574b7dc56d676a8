"""Passports and their issuers, several documents of one person, and documents of no list."""

import msgspec
import pytest

from checker.checks.request import Subject, prepare_subject
from checker.domain.clock import shanghai_day
from checker.domain.decision import Outcome
from checker.domain.document import Document
from checker.domain.service import Air, Rail
from checker.domain.service_terms import Seat
from checker.registry.prepared_check import PreparedCheck
from tests.support.operation_lines import bind, passport, permit, travel_permit
from tests.support.registry_grounds import (
    AT,
    accepted,
    document,
    name_of,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio

FOREIGN = "X1234567"
FLIGHT = Air(flight="CZ3101")
SLOW_TRAIN = Rail(train="K511", seat=Seat.HARD_SEAT)


def foreign(issuer=None, number=FOREIGN):
    return document(number, "passport") | ({} if issuer is None else {"issuer": issuer})


def listing(index, *documents, **changes):
    listed = person_listing(index, **changes)
    listed["party"]["documents"] = list(documents)
    return listed


async def told(node, first, *also, name=None, service=FLIGHT):
    """Return the outcome and the codes of the reasons, at once and by the node's own copy."""
    sent = Subject(
        document=msgspec.convert(first, Document),
        also=msgspec.convert(also, tuple[Document, ...]),
        name=name,
    )
    subject = prepare_subject(sent, "", shanghai_day(AT), node.sealer.document_token)
    check = PreparedCheck(subject=subject, service=service, jurisdiction="CN")
    [at_once] = (await node.checks.decide([check], account_id=None)).decisions
    await settled(node)
    [later] = (await node.checks.decide([check], account_id=None)).decisions
    assert (later.outcome, later.reasons) == (at_once.outcome, at_once.reasons)
    alone = node.checks.decide_at_once(check, AT)
    assert alone is None or at_once.outcome is Outcome.ALLOW
    return (later.outcome.value, *sorted({reason.code.value for reason in later.reasons}))


DENIED = ("deny", "restricted")
ALLOWED = ("allow",)
UNKNOWN_ISSUER = ("review", "issuer_unknown")
NAME = name_of(1)


@pytest.mark.parametrize("through", ["listing", "bound"])
async def test_a_passport_is_its_issuer_and_its_number_on_every_way(node, through):
    ways = {
        "listing": [listing(1, foreign("USA")), listing(2, foreign(number="X7654321"))],
        "bound": [person_listing(1), person_listing(2)],
    }
    await publish(node, ways[through])
    if through == "bound":
        await accepted(node, bind(document(resident_id(1)), foreign("USA")))
        await accepted(node, bind(document(resident_id(2)), foreign(number="X7654321")))
    assert await told(node, foreign("USA")) == DENIED
    assert await told(node, foreign("GBR")) == ALLOWED
    assert await told(node, foreign("GBR"), name=NAME) == ALLOWED
    assert await told(node, foreign()) == UNKNOWN_ISSUER
    assert await told(node, foreign(), name=NAME) == DENIED
    assert await told(node, foreign(), name="别的人") == ALLOWED
    assert await told(node, foreign("USA", number="X7654321")) == UNKNOWN_ISSUER
    assert await told(node, foreign("USA", number="X7654321"), name=name_of(2)) == DENIED
    assert await told(node, foreign("USA"), name="别的人") == ("review", "name_mismatch")


async def test_a_number_of_the_chinese_form_is_chinese_on_both_sides(node):
    await publish(node, [listing(1, passport(1)), listing(2, passport(2) | {"issuer": "CHN"})])
    for each in (passport(1), passport(2)):
        for issuer in ("CHN", "HKG", "MAC"):
            assert await told(node, each | {"issuer": issuer}) == DENIED
        assert await told(node, each) == DENIED
        assert await told(node, each | {"issuer": "USA"}, name=NAME) == ALLOWED


async def test_passports_of_one_number_and_two_states_bind_no_two_persons(node):
    await publish(node, [person_listing(1), person_listing(2)])
    await accepted(node, bind(document(resident_id(1)), foreign("USA")))
    await accepted(node, bind(document(resident_id(3)), foreign("GBR")))
    assert await told(node, document(resident_id(3))) == ALLOWED
    assert await told(node, foreign("GBR")) == ALLOWED
    assert await told(node, foreign("USA")) == DENIED


async def test_a_permit_of_a_passport_of_another_state_lifts_nothing(node):
    await publish(node, [listing(1, foreign("USA"))])
    await accepted(node, permit("p1", document=foreign("GBR")))
    assert await told(node, foreign("USA")) == DENIED
    await accepted(node, permit("p2", document=foreign("USA")))
    assert await told(node, foreign("USA")) == ("allow", "restricted")


async def test_all_documents_are_looked_up_and_the_strongest_decision_stands(node):
    await publish(node, [person_listing(1), listing(2, travel_permit(2), travel_permit(3))])
    clear, listed = document(resident_id(8)), document(resident_id(1))
    assert await told(node, clear, travel_permit(9)) == ALLOWED
    assert await told(node, clear, travel_permit(9), listed) == DENIED
    assert await told(node, listed, clear, name=NAME) == DENIED
    assert await told(node, travel_permit(2), travel_permit(3)) == DENIED
    kept = await query(node, "SELECT id, reasons, outcome FROM decision WHERE outcome = 'deny'")
    assert all(len(row.reasons) == 1 for row in kept)
    # Each of the three denials was asked twice, and each time kept once.
    assert len(kept) == 6


async def test_documents_of_two_listed_persons_disagree(node):
    await publish(node, [person_listing(1), listing(2, travel_permit(2)), person_listing(3)])
    one, other = document(resident_id(1)), travel_permit(2)
    assert await told(node, one, other) == ("review", "documents_disagree")
    assert await told(node, one, other, name=NAME) == ("review", "documents_disagree")
    assert await told(node, one, other, service=SLOW_TRAIN) == ALLOWED
    await accepted(node, permit("p1", document=one))
    assert await told(node, one, other) == ("review", "documents_disagree")
    await accepted(node, bind(one, other))
    assert await told(node, one, other) == ("allow", "restricted")
    await accepted(node, bind(document(resident_id(3)), travel_permit(4)))
    await accepted(node, bind(document(resident_id(5)), travel_permit(6)))
    apart = (document(resident_id(3)), document(resident_id(5)))
    assert await told(node, *apart) == ("review", "documents_disagree")


async def test_a_permit_lifts_only_what_reaches_the_documents_that_it_covers(node):
    same = listing(2, travel_permit(2))
    same["party"]["name"] = NAME
    await publish(node, [person_listing(1), same])
    one, other = document(resident_id(1)), travel_permit(2)
    assert await told(node, one, other) == DENIED
    await accepted(node, permit("p1", document=one, uses=10))
    assert await told(node, one, travel_permit(7)) == ("allow", "restricted")
    assert await told(node, one, other) == DENIED
    await accepted(node, permit("p2", document=other, uses=10))
    assert await told(node, one, other) == ("allow", "restricted")
    [used] = await query(node, "SELECT count(*) FROM permit_use")
    assert used.count == 4, "one use for each sale, which was asked about twice"


async def test_a_document_that_nobody_can_look_up_is_for_a_person_to_judge(node):
    await publish(node, [person_listing(1)])
    net_id = document("NET0001ABC", "net_id")
    review = ("review", "identity_not_resolvable")
    assert await told(node, net_id, name=NAME) == review
    assert await told(node, document(resident_id(8)), net_id) == review
    denied = await told(node, net_id, document(resident_id(1)))
    assert denied == ("deny", "identity_not_resolvable", "restricted")
    assert await told(node, net_id, service=SLOW_TRAIN) == ALLOWED
    kept = await query(node, "SELECT reasons, listings FROM decision WHERE outcome = 'review'")
    assert len(kept) == 4
    assert all(reason["role"] is None for row in kept for reason in row.reasons)
    await accepted(node, permit("p1"))
    assert await told(node, net_id, document(resident_id(1))) == review
