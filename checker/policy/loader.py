"""Reads the files of measures, and refuses every fault in them.

The form of a file:

    id = "leizhou"                      # the first half of each measure's id
    jurisdiction = "440882"
    source = { title = { zh, en }, number? }
    listing_kinds = ["dishonest"]       # the kinds of listings that the measures bind

    [[measures]]                        # in the order of the document
    id = "2.7.1"
    section = "二（七）1"
    title = { zh, en }
    authorities = ["…"]                 # optional

    [[measures.clauses]]                # any of them makes the measure apply
    service = "rail"
    roles = "all"                       # or a list
    persons_only = true                 # optional: organizations are not restricted
    effect = "restrict"                 # or "reference", "unclear"; "cap" with amount_fen
    when.seat = { in = ["first"] }      # optional; all must hold, one for each field:
                                        # in, at_least, at_least_setting, is
"""

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Final

import msgspec

from checker.domain.deadlines import DueBasis
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction
from checker.domain.listing_kind import ListingKind
from checker.domain.measure import Clause, Effect, Measure, Source, Title
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.settings import Settings
from checker.policy.book import PolicyBook
from checker.policy.conditions import read_conditions
from checker.policy.toml_table import Table
from checker.policy.vocabulary import FIELDS

_POLICY_KEYS = ("id", "jurisdiction", "source", "listing_kinds", "measures")
_MEASURE_KEYS = ("id", "section", "title", "authorities", "clauses")
_CLAUSE_KEYS = ("service", "roles", "persons_only", "effect", "when")
_ALL_ROLES: Final = "all"
_AMOUNT: Final = "amount_fen"

SPC_RULE: Final = "cn-spc-2015-17/"
"""The beginning of the ids of the measures that `spc_rule_binds_dishonest` is about."""


class PolicyText(msgspec.Struct, frozen=True, kw_only=True):
    """A file of measures: its text, and its name for errors."""

    file: str
    text: str


class _Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that all measures of a file share."""

    id: str
    jurisdiction: Jurisdiction
    source: Source
    listing_kinds: frozenset[ListingKind]


def builtin_policies() -> tuple[PolicyText, ...]:
    """Return the files that come with the package, by name."""
    files = sorted(resources.files("checker.policy").iterdir(), key=lambda file: file.name)
    return tuple(
        PolicyText(file=file.name, text=file.read_text(encoding="utf-8"))
        for file in files
        if file.name.endswith(".toml")
    )


def load_policies(
    policies: Iterable[PolicyText],
    settings: Mapping[Jurisdiction, Settings],
    removal_basis: DueBasis = DueBasis.CALENDAR_ROLL,
    *,
    spc_rule_binds_dishonest: bool = False,
) -> PolicyBook:
    """Return the book of all measures, completely checked, with the `settings` of each place.

    `spc_rule_binds_dishonest`: the rule on consumption (法释〔2015〕17号) also binds entries of the
    list of the dishonest; otherwise it binds orders alone.

    Raises `PolicyError` at the first fault.
    """
    measures: dict[str, Measure] = {}
    for policy in policies:
        for table, read in _policy(Table.parse(policy.text, file=policy.file)):
            if read.id in measures:
                table.fail(f"measure {read.id!r} is there twice", "id")
            kinds = read.listing_kinds
            if spc_rule_binds_dishonest and read.id.startswith(SPC_RULE):
                kinds |= {ListingKind.DISHONEST}
            measures[read.id] = msgspec.structs.replace(read, listing_kinds=kinds)
    return PolicyBook(measures.values(), settings, removal_basis)


def _policy(table: Table) -> list[tuple[Table, Measure]]:
    table.allow_keys(_POLICY_KEYS)
    policy = table.text("id")
    jurisdiction = _jurisdiction(table)
    source = _source(table.table("source"))
    kinds = table.words("listing_kinds", ListingKind)
    whole = _Policy(id=policy, jurisdiction=jurisdiction, source=source, listing_kinds=kinds)
    return [(one, _measure(one, whole)) for one in table.tables("measures")]


def _jurisdiction(table: Table) -> Jurisdiction:
    try:
        return parse_jurisdiction(table.text("jurisdiction"))
    except InvalidJurisdiction as error:
        table.fail(str(error), "jurisdiction")


def _source(table: Table) -> Source:
    table.allow_keys(("title", "number"))
    number = table.text("number") if "number" in table else None
    return Source(title=_title(table.table("title")), number=number)


def _title(table: Table) -> Title:
    table.allow_keys(("zh", "en"))
    return Title(zh=table.text("zh"), en=table.text("en"))


def _measure(table: Table, policy: _Policy) -> Measure:
    table.allow_keys(_MEASURE_KEYS)
    return Measure(
        id=f"{policy.id}/{table.text('id')}",
        jurisdiction=policy.jurisdiction,
        source=policy.source,
        listing_kinds=policy.listing_kinds,
        section=table.text("section"),
        title=_title(table.table("title")),
        authorities=table.texts("authorities") if "authorities" in table else (),
        clauses=tuple(_clause(clause) for clause in table.tables("clauses")),
    )


def _clause(table: Table) -> Clause:
    table.allow_keys(_CLAUSE_KEYS)
    service = table.word("service", ServiceType)
    effect = table.word("effect", Effect)
    fields = FIELDS[service]
    if effect is Effect.CAP and _AMOUNT not in fields:
        table.fail(f"{service} has no {_AMOUNT} that could be capped", "effect")
    return Clause(
        service=service,
        roles=_roles(table),
        effect=effect,
        conditions=read_conditions(table.table("when"), fields) if "when" in table else (),
        persons_only=table.truth("persons_only") if "persons_only" in table else False,
    )


def _roles(table: Table) -> frozenset[Role]:
    if not table.is_text("roles"):
        return table.words("roles", Role)
    if table.text("roles") != _ALL_ROLES:
        table.fail(f"roles must be {_ALL_ROLES!r} or a list of: {', '.join(Role)}", "roles")
    return frozenset(Role)
