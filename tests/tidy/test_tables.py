"""Every member of a closed set has its row in the table that says what follows from it."""

import ast
from importlib import import_module
from typing import get_args

import pytest

from checker.accounts.keys import MAY, AccountRole, Action
from checker.accounts.schema import account, account_flag
from checker.api.problems import KINDS
from checker.audit.wording import CODES
from checker.audit.wording import KINDS as KINDS_OF_LISTINGS
from checker.corrections.correction import EFFECTS, GroundCode, Ruling, RulingEffect
from checker.corrections.correction import MOVES as RULINGS
from checker.corrections.schema import correction
from checker.domain.deadlines import DueBasis
from checker.domain.decision import OUTCOMES, Outcome, ReasonCode
from checker.domain.document import DocumentType
from checker.domain.errors import EXPLANATIONS, InvalidReason
from checker.domain.fishing import FishingGround
from checker.domain.listing_kind import ListingKind
from checker.domain.role import ROLE_ORDER, Role
from checker.domain.service import SERVICES, ServiceType
from checker.domain.service_terms import CODE_OF_SEAT, Seat
from checker.domain.settings import Settings, Threshold
from checker.errors import CheckerError, ConfigurationError
from checker.formats.operation import OperationLine
from checker.formats.record_officers import TITLES
from checker.formats.zxgk import PARTY_TYPES
from checker.logs import FIELDS, FORMATTERS, LogFormat
from checker.operators.action import ActionOutcome, Door, OperatorAction
from checker.operators.schema import operator_action
from checker.reconciliation.job import Interruption, ReconciliationStatus
from checker.reconciliation.past_sale import RejectedCode
from checker.reconciliation.schema import reconciliation
from checker.registry.entry import PartyType, RejectCode
from checker.registry.ledger_state import DirectiveKind
from checker.registry.operations import DelistingGround, Operation, RemoveOfficer
from checker.registry.schema import directive, listing
from checker.registry.versions import ChangeKind
from checker.sheets.refusals import SheetRefused
from checker.spending.authorization import MOVES, AuthorizationStatus, SpendingStepKind
from tests.tidy.source_tree import modules, tree

# Errors that stop a start: there is no request yet to answer.
BEFORE_ANY_REQUEST = {ConfigurationError}
# Answered by the row of `InvalidRequest`: a page needs the fault of a sheet, the API needs no code.
WITH_THE_ROW_OF_THEIR_BASE = {SheetRefused}


def kinds_of_error() -> set[type[CheckerError]]:
    for module in modules():
        if module.startswith("checker.") and not module.startswith("checker.database.migrations"):
            import_module(module)
    found, waiting = set(), [CheckerError]
    while waiting:
        children = waiting.pop().__subclasses__()
        found.update(children)
        waiting += children
    return found


def test_every_error_has_its_problem():
    others = BEFORE_ANY_REQUEST | WITH_THE_ROW_OF_THEIR_BASE
    assert kinds_of_error() - others <= KINDS.keys()


def test_no_two_errors_share_a_code():
    codes = [kind.code for kind in KINDS.values()]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("members", "rows"),
    [
        (AccountRole, MAY.keys()),
        (Action, {action for actions in MAY.values() for action in actions}),
        (ReasonCode, OUTCOMES.keys()),
        (ReasonCode, CODES.keys()),
        (ListingKind, KINDS_OF_LISTINGS.keys()),
        (Seat, CODE_OF_SEAT.keys()),
        (ServiceType, SERVICES.keys()),
        (InvalidReason, EXPLANATIONS.keys()),
        (Role, ROLE_ORDER.keys()),
        (PartyType, set(PARTY_TYPES.values())),
        (LogFormat, FORMATTERS.keys()),
        (AuthorizationStatus, MOVES.keys()),
        (SpendingStepKind, {SpendingStepKind.HELD}.union(*MOVES.values())),
        ({None, *Ruling}, RULINGS.keys()),
        ({None, *GroundCode}, EFFECTS.keys()),
        (RulingEffect, {RulingEffect.NONE, *EFFECTS.values()}),
        (Threshold, {*Threshold} & {*Settings.__struct_fields__}),
    ],
)
def test_a_table_has_a_row_for_every_member_and_none_besides(members, rows):
    assert set(rows) == set(members)


def test_every_outcome_but_allow_is_reached_by_some_reason():
    assert {*OUTCOMES.values(), Outcome.ALLOW} == set(Outcome)


def test_every_officers_role_has_a_title_on_the_platform():
    assert {role for _, role in TITLES} == {*Role} - {Role.DEBTOR}


def test_every_operation_has_its_line():
    lines = {line.__struct_config__.tag for line in get_args(OperationLine)}

    # `RemoveOfficer` comes from a ruling, and from no line.
    assert len({*get_args(Operation)} - {RemoveOfficer}) == len(lines)
    assert lines == {
        "list",
        "delist",
        "shield",
        "unshield",
        "fulfil",
        "officers",
        "bind",
        "permit",
        "withdraw_permit",
        "retain",
        "distinguish",
        "undistinguish",
    }


def test_the_grounds_of_a_delisting_are_those_of_the_contract():
    assert {*DelistingGround} == {"fulfilled", "settled", "terminated", "corrected"}


def test_the_service_of_a_row_is_the_one_of_its_tag():
    assert all(SERVICES[kind].__struct_config__.tag == kind for kind in ServiceType)


@pytest.mark.parametrize(
    "members",
    [
        RejectCode,
        ChangeKind,
        PartyType,
        DirectiveKind,
        DocumentType,
        ReasonCode,
        Action,
        Interruption,
        RejectedCode,
        FishingGround,
        OperatorAction,
    ],
)
def test_every_member_is_used_somewhere(members):
    used = {
        node.attr
        for path in modules().values()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == members.__name__
    }

    assert used >= {member.name for member in members}


@pytest.mark.parametrize(
    ("table", "members"),
    [
        (account, AccountRole),
        (account_flag, FishingGround),
        (listing, PartyType),
        (directive, DirectiveKind),
        (correction, Ruling),
        (correction, DueBasis),
        (correction, GroundCode),
        (correction, RulingEffect),
        (reconciliation, ReconciliationStatus),
        (operator_action, Door),
        (operator_action, ActionOutcome),
    ],
    ids=str,
)
def test_the_database_knows_the_same_words(table, members):
    words = {
        str(constraint.sqltext).partition(" IN ")[2]
        for constraint in table.constraints
        if " IN (" in str(getattr(constraint, "sqltext", ""))
    }

    assert f"({', '.join(repr(word.value) for word in members)})" in words


def test_every_field_that_is_logged_is_one_that_lines_may_hold():
    logged = {
        key.value
        for path in modules().values()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.keyword)
        and node.arg == "extra"
        and isinstance(node.value, ast.Dict)
        for key in node.value.keys
        if isinstance(key, ast.Constant)
    }

    assert logged
    assert logged <= {*FIELDS}
