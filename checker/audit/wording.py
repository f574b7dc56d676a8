"""The words in which a decision is explained to people, in Chinese and in English.

The words are our own. The legal documents are cited by title, number and section.
"""

from collections.abc import Mapping
from typing import Final

from checker.audit.distinguished import Distinguished
from checker.domain.decision import Outcome, Reason, ReasonCode, ShownListing
from checker.domain.listing_kind import ListingKind
from checker.domain.measure import Measure, Title
from checker.domain.role import Role

OUTCOMES: Final[Mapping[Outcome, Title]] = {
    Outcome.ALLOW: Title(zh="可以办理", en="The sale is allowed"),
    Outcome.CAP: Title(zh="可以在限额内办理", en="The sale is allowed within a cap"),
    Outcome.REVIEW: Title(zh="须由人工核对后决定", en="A person must look before the sale"),
    Outcome.DENY: Title(zh="不得办理", en="The sale is refused"),
}
CODES: Final[Mapping[ReasonCode, Title]] = {
    ReasonCode.RESTRICTED: Title(zh="该项消费受限制", en="this service is restricted"),
    ReasonCode.CAPPED: Title(zh="该项消费有限额", en="this service is capped"),
    ReasonCode.REFERENCE: Title(
        zh="应作为审慎性参考，由人工审核", en="the section asks for prudence, not for a refusal"
    ),
    ReasonCode.SEAT_UNCLEAR: Title(
        zh="法律文件未明确该席别是否受限制", en="no text settles whether this seat is restricted"
    ),
    ReasonCode.NAME_MISMATCH: Title(
        zh="证件号码相符但姓名不符，不据此拒绝",
        en="the document is listed under another name, and nobody is refused on that",
    ),
    ReasonCode.MASKED_MATCH: Title(
        zh="名单上的证件号码不完整，仅部分相符",
        en="the list shows the document in part only, and that part agrees",
    ),
    ReasonCode.THRESHOLD_UNSET: Title(
        zh="当地未设定“高额”的金额标准", en="no figure for a high fee or premium is set here"
    ),
    ReasonCode.CAP_UNSET: Title(zh="当地未设定限额", en="no cap is set here"),
    ReasonCode.REMOVAL_OVERDUE: Title(
        zh="义务已履行，名单信息逾期未删除",
        en="the duty is fulfilled and the listing's removal is overdue",
    ),
    ReasonCode.ISSUER_UNKNOWN: Title(
        zh="护照号码相符，但签发国不明，且未提供姓名，不据此拒绝",
        en="the passport number is listed, but an issuing state is unknown and no name was sent;"
        " nobody is refused on that",
    ),
    ReasonCode.DOCUMENTS_DISAGREE: Title(
        zh="所提供的证件在名单上分属不同的人，须核对身份",
        en="the list knows the documents as those of two persons, so the identity must be verified",
    ),
    ReasonCode.IDENTITY_NOT_RESOLVABLE: Title(
        zh="网号不能在名单上查询，须核对其他有效证件",
        en="the list cannot be asked about a net_id, so another document must be looked at",
    ),
}
KINDS: Final[Mapping[ListingKind, Title]] = {
    ListingKind.DISHONEST: Title(zh="失信被执行人名单", en="the list of the dishonest"),
    ListingKind.CONSUMPTION_ORDER: Title(zh="限制消费令", en="an order restricting consumption"),
}
ROLES: Final[Mapping[Role, Title]] = {
    Role.DEBTOR: Title(zh="被执行人", en="the judgment debtor"),
    Role.LEGAL_REPRESENTATIVE: Title(zh="法定代表人", en="the legal representative"),
    Role.PRINCIPAL: Title(zh="主要负责人", en="the principal"),
    Role.ACTUAL_CONTROLLER: Title(zh="实际控制人", en="the actual controller"),
    Role.DIRECTLY_RESPONSIBLE: Title(
        zh="影响债务履行的直接责任人员", en="a directly responsible person"
    ),
}


def explain_decision(outcome: Outcome, permit_id: str | None) -> Title:
    """Return a sentence about the decision."""
    title = OUTCOMES[outcome]
    if permit_id is None:
        return Title(zh=f"{title.zh}。", en=f"{title.en}.")
    return Title(
        zh=f"{title.zh}：法院许可（{permit_id}）解除了下列限制。",
        en=f"{title.en}: the court's permit {permit_id} lifts what is listed below.",
    )


def explain_reason(
    reason: Reason,
    measure: Measure | None,
    listing: ShownListing | None,
    since: Distinguished | None = None,
) -> Title:
    """Return a sentence about a reason: the section, the role of the person, and the listing.

    `since`: a court has found since that the listing is not about the subject.
    """
    code = CODES[reason.code]
    zh, en = [_cited_zh(reason, measure), code.zh], [_cited_en(reason, measure), code.en]
    if reason.role is not None:
        role = ROLES[Role(reason.role)]
        zh.append(f"身份为{role.zh}")
        en.append(f"as {role.en}")
    if listing is not None:
        kind = KINDS[listing.kind]
        zh.append(f"依据{listing.court}{listing.case_number}（{kind.zh}）")
        en.append(f"by {listing.case_number} of {listing.court} ({kind.en})")
    if reason.remedy is not None:
        apply, review = reason.remedy.apply_within_days, reason.remedy.review_within_days
        zh.append(
            f"认为错误的，可在{apply}日内向{reason.remedy.court}申请纠正，法院应在{review}日内审查"
        )
        en.append(
            f"whoever holds it wrong may apply to {reason.remedy.court} within {apply} days,"
            f" and the court reviews within {review}"
        )
    if since is not None:
        zh.append(f"{since.court}已于{since.on}认定该证件持有人不是该名单所列的人")
        en.append(
            f"{since.court} found on {since.on} that the holder of the document is not the person"
            " of the listing"
        )
    return Title(zh=f"{'；'.join(zh)}。", en=f"{'; '.join(en)}.")


def _cited_zh(reason: Reason, measure: Measure | None) -> str:
    if measure is None:
        return reason.measure
    number = "" if measure.source.number is None else f"（{measure.source.number}）"
    return f"《{measure.source.title.zh}》{number}{measure.section}“{measure.title.zh}”"


def _cited_en(reason: Reason, measure: Measure | None) -> str:
    if measure is None:
        return reason.measure
    number = "" if measure.source.number is None else f", {measure.source.number}"
    return f"{measure.source.title.en}{number}, section {measure.section}, {measure.title.en}"
