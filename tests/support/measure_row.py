"""One row of the table of measures, and the answer that the row expects."""

from typing import Any, NamedTuple

ALL = (
    "debtor",
    "legal_representative",
    "principal",
    "actual_controller",
    "directly_responsible",
)
DEBTOR_ONLY = ("debtor",)
CAP_FEN = 200_000


class Reached(NamedTuple):
    """One section that reaches some roles, with the code it gives."""

    section: str
    roles: tuple[str, ...] = ALL
    code: str = "restricted"


class Row(NamedTuple):
    """A service, and what each document says of it: the national one, Leizhou's, and the rule of
    the Supreme People's Court. `persons_only`: the documents restrict no organization.
    """

    service: dict[str, Any]
    nation: Reached | None
    leizhou: Reached | None
    order: tuple[Reached, ...] = ()
    persons_only: bool = False


Answer = tuple[str, list[tuple[str, str]]]
"""A decision, and its reasons as (code, measure)."""


def expected(
    row: Row, role: str, jurisdiction: str, *, is_entry: bool = True, is_order: bool = False
) -> Answer:
    """Return the decision and the reasons for somebody of this role.

    `is_entry`, `is_order`: the documents on the list of the dishonest, and the rule, bind them.
    """
    said: list[tuple[str, Reached | None]] = []
    if is_entry:
        said.append(("cn-2016-64", row.nation))
    if is_order:
        said += [("cn-spc-2015-17", reached) for reached in row.order]
    if is_entry and jurisdiction == "440882":
        said.append(("leizhou", row.leizhou))
    reasons = [
        (reached.code, f"{policy}/{reached.section}")
        for policy, reached in said
        if reached is not None and role in reached.roles
    ]
    codes = {code for code, _ in reasons}
    if "restricted" in codes or ("capped" in codes and row.service["amount_fen"] > CAP_FEN):
        return "deny", reasons
    if codes & {"reference", "seat_unclear"}:
        return "review", reasons
    return ("cap" if "capped" in codes else "allow"), reasons
