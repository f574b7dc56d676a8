"""The rights of each role and each key (contract, section 1)."""

import pytest

from checker.accounts.keys import MAY, AccountRole, Action, Caller, digest_of
from checker.domain.service import ServiceType

EXPECTED = {
    AccountRole.INSTITUTION: {
        Action.CHECK,
        Action.SPEND,
        Action.RECONCILE,
        Action.SEE_MEASURES,
        Action.REPORT_OUTCOMES,
        Action.SEE_OWN_DECISIONS,
        Action.RECEIVE_NOTICES,
        Action.FILE_CORRECTION,
    },
    AccountRole.COURT: {
        Action.PUBLISH,
        Action.SEE_QUARANTINE,
        Action.RETRY_QUARANTINE,
        Action.SEE_MEASURES,
        Action.FILE_CORRECTION,
        Action.SEE_CORRECTIONS,
        Action.RULE,
    },
    AccountRole.OPERATOR: {
        Action.SEE_LIST,
        Action.SEE_QUARANTINE,
        Action.RETRY_QUARANTINE,
        Action.SEE_MEASURES,
        Action.SEE_REPORTS,
        Action.FILE_CORRECTION,
        Action.SEE_CORRECTIONS,
        Action.MANAGE_ACCOUNTS,
        Action.SEE_WEBHOOKS,
    },
    AccountRole.AUDITOR: {Action.SEE_MEASURES, Action.SEE_ALL_DECISIONS, Action.SEE_REPORTS},
}


def caller(role: AccountRole, services: frozenset[ServiceType] | None = None) -> Caller:
    return Caller(
        key_pk=1,
        account_id="1",
        name="x",
        role=role,
        services=services,
        jurisdiction=None,
    )


def test_each_role_has_its_row() -> None:
    assert set(MAY) == set(AccountRole)


@pytest.mark.parametrize("role", AccountRole)
@pytest.mark.parametrize("action", Action)
def test_each_role_may_what_the_contract_says(role: AccountRole, action: Action) -> None:
    assert caller(role).may(action) is (action in EXPECTED[role])


def test_a_key_without_a_scope_asks_about_everything() -> None:
    assert all(caller(AccountRole.INSTITUTION).may_ask(service) for service in ServiceType)


def test_a_key_with_a_scope_asks_about_that_alone() -> None:
    scoped = caller(AccountRole.INSTITUTION, frozenset({ServiceType.RAIL, ServiceType.AIR}))
    asked = {service for service in ServiceType if scoped.may_ask(service)}
    assert asked == {ServiceType.RAIL, ServiceType.AIR}


def test_what_is_kept_of_a_key_is_its_digest() -> None:
    assert digest_of("ck_x") == digest_of("ck_x") != digest_of("ck_y")
    assert len(digest_of("ck_x")) == 32
    assert b"ck_x" not in digest_of("ck_x")
