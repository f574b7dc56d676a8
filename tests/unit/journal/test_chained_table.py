"""Links of both chains: their bytes stay, and a walk finds each break."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

from checker.audit.chain import GONE, Content, link_digest
from checker.journal.chain import link_after
from checker.journal.chained_table import NO_HEAD, NO_LINK, ChainHead, ChainWalk, links_behind
from checker.journal.faults import FAULTS_SHOWN_MAX, Faults
from checker.vault import KEY_BYTES, Vault

AT = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
REMOVAL = {
    "pk": 7,
    "month": date(2026, 10, 1),
    "at": AT,
    "decisions": 3,
    "reported_outcomes": 1,
    "kept_since": AT,
    "first_link": 4,
    "digest_before": bytes(range(32)),
}


def joined(before, row):
    return before[-2:] + row


def walked(*links):
    faults = Faults()
    walk = ChainWalk(NO_HEAD, faults, chain=" of a chain")
    for link, is_sound in links:
        walk.follow(link, lambda _before, is_sound=is_sound: None if is_sound else "a break")
    return walk, faults.first


def test_links_of_decisions_have_the_bytes_of_the_first_chains():
    removal = link_digest(NO_LINK, Content(kind="removal", row=REMOVAL))

    assert removal.hex() == "67db72c2202abee2b7310bcc2b48acff078093d968df5f561ae0515ce502d4c4"
    assert (
        link_digest(NO_LINK, GONE).hex()
        == "3f89481a9ed0c073640a63d87116ba099d0c937e71ae24daf845835844f788f6"
    )


def test_links_of_the_journal_have_the_bytes_of_the_first_chains():
    entry = SimpleNamespace(nonce=b"n" * 16, mac=b"m" * 32)
    link = link_after(Vault(bytes(KEY_BYTES)), NO_LINK, entry)

    assert link.hex() == "0ae2d4949f430034de5e0f7a2b7d299129a3eaad559df178e848e23cb5a73628"


def test_each_link_is_made_on_the_link_before_it():
    head = ChainHead(number=3, digest=b"ab")

    assert links_behind(head, [b"c", b"d"], joined) == [
        ChainHead(number=4, digest=b"abc"),
        ChainHead(number=5, digest=b"bcd"),
    ]


def test_a_walk_names_each_break_and_goes_on_behind_it():
    first, fourth, fifth = (ChainHead(number=number, digest=b"x") for number in (1, 4, 5))
    walk, faults = walked((first, True), (fourth, False), (fifth, False))

    assert faults == ["links 2 to 3 of a chain are missing", "a break"]
    assert (walk.head, walk.links) == (fifth, 3)


def test_a_verification_keeps_the_first_faults_and_counts_all():
    faults = Faults()
    for number in range(FAULTS_SHOWN_MAX + 1):
        faults.add(f"fault {number}")
    faults.add("many", 7)

    assert faults.count == FAULTS_SHOWN_MAX + 8
    assert faults.first[-1] == f"fault {FAULTS_SHOWN_MAX - 1}"
