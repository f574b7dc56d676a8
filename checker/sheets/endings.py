"""The end of each row: a decision or `not_checkable`, as the four texts that the sheet receives."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from checker.audit.wording import CODES, ROLES
from checker.domain.decision import Decision, Outcome, Reason
from checker.domain.measure import Title
from checker.sheets.row_fault import DETAILS_ZH, REMEDIES, WORDS, NotCheckable

NOT_CHECKABLE: Final = "not_checkable"
_SHOWN_MAX: Final = 20
"""Reasons that a cell names: more of them do not fit into a cell of Excel."""

_PERMIT: Final = Title(zh="法院许可解除了限制", en="the court's permit lifts the restriction")
_LEFT: Final = Title(zh="限额余额（元）", en="left under the cap, in yuan")


class SheetLanguage(StrEnum):
    """The language of the texts in the sheet."""

    ZH = "zh"
    EN = "en"


class RowEnding(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one row, in the words of the sheet.

    `decision` is an `Outcome` or `not_checkable`. The other texts may be empty.
    """

    decision: str
    reason: str = ""
    section: str = ""
    remedy: str = ""

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """The texts of the four columns, in the order of `RESULT_HEADERS`."""
        return self.decision, self.reason, self.section, self.remedy


def ending_of_row(
    decisions: Sequence[Decision], fault: NotCheckable | None, language: SheetLanguage
) -> RowEnding:
    """Return the end of a row by the decisions on its checks, and the fault of any part of it.

    1. A `deny` or `review` stands, even if another part of the row cannot be checked.
    2. A fault makes the row `not_checkable`. A row without any decision has a fault.
    3. Otherwise the strongest decision stands.
    """
    strongest = max(decisions, key=lambda each: each.outcome.strength, default=None)
    if fault is not None and (strongest is None or strongest.outcome.strength < _STANDS):
        return _fault_ending(fault, language)
    assert strongest is not None, "a row without a fault has a check"
    same = [each for each in decisions if each.outcome is strongest.outcome]
    reasons = [reason for each in same for reason in each.reasons][:_SHOWN_MAX]
    return RowEnding(
        decision=strongest.outcome.value,
        reason=_joined(
            [
                *(_reason(reason, language) for reason in reasons),
                *(text for each in same for text in _besides(each, language)),
            ]
        ),
        section=_joined(reason.measure for reason in reasons),
        remedy=_joined(_remedy(reason, language) for reason in reasons),
    )


_STANDS: Final = Outcome.REVIEW.strength


def _fault_ending(fault: NotCheckable, language: SheetLanguage) -> RowEnding:
    text = f"{fault.fault.value}: {_in(language, WORDS[fault.fault])}"
    detail = fault.detail
    if language is SheetLanguage.ZH:
        detail = DETAILS_ZH.get(detail, detail)
    return RowEnding(
        decision=NOT_CHECKABLE,
        reason=f"{text} ({detail})" if detail else text,
        remedy=_in(language, REMEDIES[fault.fault]),
    )


def _reason(reason: Reason, language: SheetLanguage) -> str:
    parts = [_in(language, CODES[reason.code])]
    if reason.role is not None:
        parts.append(_in(language, ROLES[reason.role]))
    if reason.listing is not None:
        parts += [reason.listing.case_number, reason.listing.court]
    return f"{reason.code.value}: {', '.join(parts)}"


def _besides(decision: Decision, language: SheetLanguage) -> list[str]:
    """Return the texts on a permit and on the room under a cap."""
    texts = []
    if decision.permit is not None:
        texts.append(f"permit: {_in(language, _PERMIT)}")
    if decision.spending is not None:
        yuan, fen = divmod(decision.spending.remaining_fen, 100)
        texts.append(f"spending: {_in(language, _LEFT)} {yuan}.{fen:02}")
    return texts


def _remedy(reason: Reason, language: SheetLanguage) -> str:
    remedy = reason.remedy
    if remedy is None:
        return ""
    if language is SheetLanguage.ZH:
        return (
            f"认为有误的，可在{remedy.apply_within_days}日内向{remedy.court}申请纠正，"
            f"法院在{remedy.review_within_days}日内审查"
        )
    return (
        f"apply to {remedy.court} for correction within {remedy.apply_within_days} days;"
        f" the court reviews within {remedy.review_within_days}"
    )


def _in(language: SheetLanguage, title: Title) -> str:
    return title.zh if language is SheetLanguage.ZH else title.en


def _joined(texts: Iterable[str]) -> str:
    """Return the texts once each, in their order."""
    return "; ".join(dict.fromkeys(text for text in texts if text))
