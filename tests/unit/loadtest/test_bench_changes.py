"""The changes of the benchmark: legal in their order, and each visible in a check."""

from datetime import date

import msgspec

from loadtest.bench_changes import Changes, strangers
from loadtest.document_numbers import SyntheticDocumentType
from loadtest.population import Population

TODAY = date(2026, 11, 25)
POPULATION = Population(1, 200, today=TODAY)


def changes() -> Changes:
    return Changes(strangers(POPULATION, 300), TODAY)


def test_somebody_is_listed_and_later_delisted_in_turn():
    row = changes()
    made = []
    for _ in range(6):
        change = row.next()
        row.settled(change)
        made.append((change.is_listing, change.subject.holder.index))

    kinds = [is_listing for is_listing, _ in made]
    assert kinds == [True, False, True, False, True, False]
    assert [who for is_listing, who in made if is_listing] == [
        who for is_listing, who in made if not is_listing
    ]


def test_nobody_is_delisted_before_the_listing_is_in_force():
    row = changes()
    first = row.next()

    assert row.next().is_listing
    row.settled(first)
    then = row.next()
    assert not then.is_listing
    assert then.subject == first.subject


def test_a_listed_person_is_to_be_denied_and_a_delisted_one_allowed():
    row = changes()
    listed = row.next()
    row.settled(listed)

    assert listed.decision == "deny"
    assert row.next().decision == "allow"


def test_a_change_is_one_line_about_the_person_asked_about():
    row = changes()
    listed = row.next()
    row.settled(listed)
    listing = msgspec.json.decode(listed.line)["listing"]
    delisting = msgspec.json.decode(row.next().line)

    assert listed.line.count(b"\n") == 1
    assert listed.line.endswith(b"\n")
    [document] = listing["party"]["documents"]
    assert document["number"] == listed.subject.document.number
    assert listing["published_on"] == "2026-11-25"
    assert delisting["listing_id"] == listing["id"]


def test_strangers_are_on_no_list_and_come_once():
    met = list(strangers(POPULATION, 300))
    listed = {document.number for holder in POPULATION.holders() for document in holder.documents}

    assert len({one.document.number for one in met}) == len(met) > 200
    assert not listed & {one.document.number for one in met}
    assert {one.document.type for one in met} == {SyntheticDocumentType.RESIDENT_ID}
