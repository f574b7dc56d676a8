"""Lists and crowds from a seed: the bytes, the shares, and the truth about who is on the list."""

import re
import subprocess
import sys
import tracemalloc
import unicodedata
from collections import Counter
from datetime import date
from itertools import islice
from math import sqrt

import msgspec
import pytest

from loadtest.circles import CircleRole, Listing, Shares
from loadtest.crowd import CrowdMatch, ListForm
from loadtest.population import LISTINGS_MAX, Population

TODAY = date(2026, 11, 23)
ROLES = {
    "法定代表人": "legal_representative",
    "主要负责人": "principal",
    "实际控制人": "actual_controller",
    "影响债务履行的直接责任人员": "directly_responsible",
}


def resident_18(number):
    """Give 15 digits the century and an unknown check digit; hidden characters stay hidden."""
    return number if len(number) == 18 else number[:6] + "19" + number[6:] + "*"


def key_of(number):
    """Normalise by the contract's words, not by our code; companies by their inner code."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", number)).upper()
    if len(plain) == 18 and not re.fullmatch(r"[0-9*]{17}[0-9X*]", plain):
        return plain[8:17]
    if len(plain) == 18 and plain.startswith("91"):
        return plain[8:17]
    return resident_18(plain) if len(plain) == 15 else plain


def fits(shown, asked):
    """Return whether two numbers agree wherever both are known."""
    return len(shown) == len(asked) and all(
        a == b or "*" in (a, b) for a, b in zip(shown, asked, strict=True)
    )


def appearances_of_listing_line(line):
    row = msgspec.json.decode(line)
    yield row["id"], "debtor", row["party"]["name"], row["party"]["documents"]
    for officer in row["officers"]:
        yield row["id"], officer["role"], officer["name"], officer["documents"]


def appearances_of_zxgk_line(line):
    row = msgspec.json.decode(line)
    yield str(row["id"]), "debtor", row["iname"], [{"number": row["cardNum"]}]
    for officer in row.get("qysler", []):
        number = officer.get("cardNum", "")
        documents = [] if number in {"", "暂无"} else [{"number": number}]
        yield str(row["id"]), ROLES[officer["corporationtypename"]], officer["iname"], documents


def links_read_from(lines, read, subject):
    """Find by brute force what the lines say of what was asked."""
    asked = key_of(subject.document.number)
    found = set()
    for line in lines:
        for listing_id, role, name, documents in read(line):
            for document in documents:
                shown = key_of(document["number"])
                same_name = subject.name in {None, re.sub(r"\s", "", name)}
                if "*" in document["number"]:
                    if subject.name and same_name and fits(shown, asked):
                        found.add((listing_id, role, "masked"))
                elif fits(shown, asked):
                    found.add((listing_id, role, "document" if same_name else "name_differs"))
    return found


@pytest.mark.parametrize(
    ("form", "read"),
    [
        (ListForm.LISTING, appearances_of_listing_line),
        (ListForm.ZXGK, appearances_of_zxgk_line),
    ],
)
def test_what_is_true_of_a_subject_agrees_with_the_lines(form, read):
    population = Population(3, 150, shares=Shares(masked=0.3))
    lines = list(population.lines(form))
    seen = Counter()
    for subject in population.crowd(300, 0.7, form=form):
        truth = {(link.listing_id, link.role.value, link.match.value) for link in subject.links}
        assert links_read_from(lines, read, subject) == truth
        seen.update(match for _, _, match in truth)
        seen["nothing"] += not truth
    assert set(seen) == {*CrowdMatch, "nothing"}


@pytest.mark.parametrize("form", ListForm)
def test_the_same_seed_gives_the_same_bytes(form):
    once, again = (b"".join(Population(5, 500).lines(form)) for _ in range(2))
    assert once == again
    assert once.count(b"\n") == 500
    assert once != b"".join(Population(6, 500).lines(form))


def test_the_same_seed_gives_the_same_crowd():
    once, again = (list(Population(5, 500).crowd(300, 0.5)) for _ in range(2))
    assert once == again


def test_a_shorter_list_is_the_beginning_of_a_longer_one():
    shorter = list(Population(5, 23).listing_lines())
    assert shorter == list(islice(Population(5, 400).listing_lines(), 23))


def test_the_largest_list_streams_without_being_held():
    tracemalloc.start()
    for _ in islice(Population(1, LISTINGS_MAX).zxgk_lines(), 2000):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_no_innocent_s_document_is_on_the_list():
    population = Population(2, 3000)
    listed = {document.number for one in population.holders() for document in one.documents}
    innocents = [subject.holder for subject in population.crowd(5000, 0.0)]
    numbers = [document.number for one in innocents for document in one.documents]
    assert listed.isdisjoint(numbers)
    assert len(set(numbers)) == len(numbers)


def shares_of(listings: list[Listing]) -> dict[str, tuple[int, int]]:
    """Count, for each share, how often it came up and how often it could have."""
    shown = [one for listing in listings for one in listing.appearances if one.documents]
    ids = [
        one
        for one in shown
        if one.documents[0].type == "resident_id" and len(one.holder.documents) == 1
    ]
    debtors = [listing.party.holder for listing in listings]
    repeated = len(debtors) - len({(type(one), one.index) for one in debtors})
    cases = {listing.case.number: listing.case for listing in listings}.values()
    return {
        "private": (sum(not listing.is_public for listing in listings), len(listings)),
        "expired": (
            sum(case.expires_on is not None and case.expires_on <= TODAY for case in cases),
            len(cases),
        ),
        "unpublished": (sum(case.published_on > TODAY for case in cases), len(cases)),
        "repeated": (repeated, len(listings) * 9 // 10),
        "masked": (sum(one.is_masked for one in ids), len(ids)),
    }


def test_shares_come_up_within_a_few_standard_errors():
    # Officers of a company listed again are shown again as they were, so draws are fewer than
    # appearances: six standard errors allow for it, and a share that is off by a fifth still fails.
    shares = Shares()
    for name, (count, draws) in shares_of(list(Population(11, 20_000).listings())).items():
        share = getattr(shares, name)
        assert abs(count / draws - share) < 6 * sqrt(share * (1 - share) / draws), name


def test_a_share_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="masked"):
        Shares(masked=1.5)


def test_shares_of_nothing_and_all_are_kept_exactly():
    none = Shares(private=0, expired=0, unpublished=0, masked=0, unresolved=0, organization=1)
    for listing in Population(1, 200, shares=none).listings():
        assert listing.is_public
        assert listing.case.published_on <= TODAY
        assert listing.officers
        assert all(one.documents and not one.is_masked for one in listing.appearances)


def test_officers_of_all_four_roles_and_people_with_several_listings_occur():
    listings = list(Population(1, 2000).listings())
    assert {one.role for listing in listings for one in listing.appearances} == set(CircleRole)
    people = Counter(
        one.holder.index for listing in listings for one in listing.appearances if one.documents
    )
    assert max(people.values()) > 2


def test_namesakes_occur_and_are_not_the_rule():
    names = [one.name for one in Population(1, 5000).people()]
    assert 0.5 * len(names) < len(set(names)) < len(names)


def test_the_listed_share_of_a_crowd_is_as_asked():
    size = 2000
    listed = sum(bool(subject.links) for subject in Population(4, 1000).crowd(size, 0.3))
    # Masked numbers asked without a name reach nobody, so a little under the share.
    assert 0.24 < listed / size < 0.33


def test_an_expired_or_unpublished_listing_leaves_its_subject_free():
    population = Population(1, 300, shares=Shares(expired=0.5, unpublished=0.5))
    assert {one.expected(TODAY) for one in population.crowd(300, 1.0)} == {"allow"}


def test_all_decisions_of_a_closed_service_come_up_in_a_crowd():
    given = {one.expected(TODAY) for one in Population(1, 1000).crowd(1000, 0.5)}
    assert given == {"allow", "review", "deny"}


@pytest.mark.parametrize(("seed", "listings"), [(-1, 10), (1, 0), (1, LISTINGS_MAX + 1)])
def test_a_population_that_the_numbers_cannot_hold_is_refused(seed, listings):
    with pytest.raises(ValueError, match=r"seed|listings"):
        Population(seed, listings)


def test_a_crowd_that_the_numbers_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="crowd"):
        next(Population(1, LISTINGS_MAX).crowd(60_000_000, 0.0))


def test_the_command_line_writes_the_list():
    command = [sys.executable, "-m", "loadtest.population", "--seed", "9", "--listings", "37"]
    written = subprocess.run(
        [*command, "--format", "zxgk"], capture_output=True, check=True, timeout=30
    )
    assert written.stdout == b"".join(Population(9, 37).zxgk_lines())
