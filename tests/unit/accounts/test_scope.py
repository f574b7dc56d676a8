"""A key's scope narrows its account's, and never widens it."""

import pytest

from checker.accounts.scope import Scope
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType

RAIL, AIR, LODGING = ServiceType.RAIL, ServiceType.AIR, ServiceType.LODGING
ACCOUNT = Scope(
    services=frozenset({RAIL, AIR}),
    jurisdiction=Jurisdiction("4408"),
    items_per_minute=100,
    items_per_day=1_000,
)


def test_a_key_that_says_nothing_has_what_the_account_has():
    assert Scope().beyond(ACCOUNT) == []
    assert Scope().within(ACCOUNT) == Scope(
        services=ACCOUNT.services, jurisdiction=ACCOUNT.jurisdiction
    )


def test_an_account_that_says_nothing_bounds_nothing():
    assert ACCOUNT.beyond(Scope()) == []
    assert ACCOUNT.within(Scope()) == ACCOUNT


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        (Scope(services=frozenset({RAIL})), []),
        (Scope(services=frozenset({RAIL, LODGING})), ["/services"]),
        (Scope(services=frozenset({LODGING})), ["/services"]),
        (Scope(jurisdiction=Jurisdiction("440882")), []),
        (Scope(jurisdiction=Jurisdiction("4408")), []),
        (Scope(jurisdiction=Jurisdiction("44")), ["/jurisdiction"]),
        (Scope(jurisdiction=Jurisdiction("CN")), ["/jurisdiction"]),
        (Scope(jurisdiction=Jurisdiction("4401")), ["/jurisdiction"]),
        (Scope(items_per_minute=100, items_per_day=1_000), []),
        (Scope(items_per_minute=101), ["/items_per_minute"]),
        (Scope(items_per_day=1_001), ["/items_per_day"]),
    ],
)
def test_a_wider_key_is_told_by_field(key, fields):
    assert [fault.pointer for fault in key.beyond(ACCOUNT)] == fields


@pytest.mark.parametrize(
    ("key", "left"),
    [
        (frozenset({RAIL, LODGING}), frozenset({RAIL})),
        (frozenset({LODGING}), frozenset()),
        (frozenset({AIR}), frozenset({AIR})),
    ],
)
def test_where_the_account_was_narrowed_later_its_keys_have_what_both_hold(key, left):
    assert Scope(services=key).within(ACCOUNT).services == left


@pytest.mark.parametrize(
    ("key", "left"), [("440882", "440882"), ("44", "4408"), ("CN", "4408"), ("31", "4408")]
)
def test_a_place_outside_of_the_accounts_becomes_the_accounts(key, left):
    assert Scope(jurisdiction=Jurisdiction(key)).within(ACCOUNT).jurisdiction == left
