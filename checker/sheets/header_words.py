"""The words of headers in Chinese and English. A further word or column is one line here.

All words are in the form that `checker.sheets.headers.folded` returns: half width, lower case, no
spaces, no brackets, no underscores.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from checker.domain.service import ServiceType


class SheetPerson(StrEnum):
    """The person that a column is about."""

    BUYER = "buyer"
    """The traveller, guest or customer: the person of a column that names nobody."""
    PAYER = "payer"
    """The person who pays for somebody: the policy holder, the guardian."""
    OTHER = "other"
    """The insured, the child, a contact. Nobody checks this person."""


class SheetField(StrEnum):
    """The meaning of a column about a person."""

    NAME = "name"
    NUMBER = "number"
    DOCUMENT_TYPE = "document_type"
    ISSUER = "issuer"


class ServiceColumn(NamedTuple):
    """A field of a service. `kind` names the reading of its cells (`checker.sheets.values`)."""

    service: ServiceType
    field: str
    kind: str


PERSONS: Final[Mapping[str, SheetPerson]] = {
    "被保险人": SheetPerson.OTHER,
    "被保人": SheetPerson.OTHER,
    "受益人": SheetPerson.OTHER,
    "学生": SheetPerson.OTHER,
    "学员": SheetPerson.OTHER,
    "儿童": SheetPerson.OTHER,
    "孩子": SheetPerson.OTHER,
    "子女": SheetPerson.OTHER,
    "幼儿": SheetPerson.OTHER,
    "父亲": SheetPerson.OTHER,
    "母亲": SheetPerson.OTHER,
    "紧急联系人": SheetPerson.OTHER,
    "联系人": SheetPerson.OTHER,
    "经办人": SheetPerson.OTHER,
    "业务员": SheetPerson.OTHER,
    "代理人": SheetPerson.OTHER,
    "导游": SheetPerson.OTHER,
    "领队": SheetPerson.OTHER,
    "insured": SheetPerson.OTHER,
    "beneficiary": SheetPerson.OTHER,
    "student": SheetPerson.OTHER,
    "pupil": SheetPerson.OTHER,
    "child": SheetPerson.OTHER,
    "emergencycontact": SheetPerson.OTHER,
    "contact": SheetPerson.OTHER,
    "agent": SheetPerson.OTHER,
    "投保人": SheetPerson.PAYER,
    "缴费人": SheetPerson.PAYER,
    "交费人": SheetPerson.PAYER,
    "付款人": SheetPerson.PAYER,
    "付费人": SheetPerson.PAYER,
    "监护人": SheetPerson.PAYER,
    "家长": SheetPerson.PAYER,
    "policyholder": SheetPerson.PAYER,
    "payer": SheetPerson.PAYER,
    "guardian": SheetPerson.PAYER,
    "parent": SheetPerson.PAYER,
    "旅客": SheetPerson.BUYER,
    "乘客": SheetPerson.BUYER,
    "乘车人": SheetPerson.BUYER,
    "乘机人": SheetPerson.BUYER,
    "游客": SheetPerson.BUYER,
    "团员": SheetPerson.BUYER,
    "客人": SheetPerson.BUYER,
    "住客": SheetPerson.BUYER,
    "宾客": SheetPerson.BUYER,
    "入住人": SheetPerson.BUYER,
    "入住客人": SheetPerson.BUYER,
    "出行人": SheetPerson.BUYER,
    "客户": SheetPerson.BUYER,
    "购票人": SheetPerson.BUYER,
    "passenger": SheetPerson.BUYER,
    "traveller": SheetPerson.BUYER,
    "traveler": SheetPerson.BUYER,
    "guest": SheetPerson.BUYER,
    "customer": SheetPerson.BUYER,
    "subject": SheetPerson.BUYER,
}
"""The beginnings of headers that name a person."""

FIELDS: Final[Mapping[str, SheetField]] = {
    "姓名": SheetField.NAME,
    "名字": SheetField.NAME,
    "名称": SheetField.NAME,
    "中文姓名": SheetField.NAME,
    "中文名": SheetField.NAME,
    "name": SheetField.NAME,
    "fullname": SheetField.NAME,
    "chinesename": SheetField.NAME,
    "证件类型": SheetField.DOCUMENT_TYPE,
    "证件种类": SheetField.DOCUMENT_TYPE,
    "证件类别": SheetField.DOCUMENT_TYPE,
    "证件名称": SheetField.DOCUMENT_TYPE,
    "documenttype": SheetField.DOCUMENT_TYPE,
    "idtype": SheetField.DOCUMENT_TYPE,
    "国籍": SheetField.ISSUER,
    "签发国": SheetField.ISSUER,
    "签发国家": SheetField.ISSUER,
    "国籍/签发国": SheetField.ISSUER,
    "nationality": SheetField.ISSUER,
    "issuer": SheetField.ISSUER,
    "issuingstate": SheetField.ISSUER,
    "issuingcountry": SheetField.ISSUER,
}

ANY_DOCUMENT: Final = frozenset(
    {"证件", "证照", "身份证件", "有效证件", "有效身份证件", "document", "id"}
)
"""Headers of a number, without `号码`, that name no kind of document."""

NUMBER_ENDINGS: Final = ("号码", "编号", "号", "number", "no.", "no")

LEGS: Final = ("去程", "往程", "返程", "回程", "outbound", "return")
"""The beginnings of headers that name one of two journeys."""

SERVICE_FIELDS: Final[Mapping[str, ServiceColumn]] = {
    word: field
    for words, field in (
        (
            ("车次", "车次号", "列车车次", "train", "trainnumber", "trainno"),
            ServiceColumn(ServiceType.RAIL, "train", "text"),
        ),
        (
            ("席别", "座席", "坐席", "席位", "座位类型", "座位等级", "seat", "seatclass"),
            ServiceColumn(ServiceType.RAIL, "seat", "seat"),
        ),
        (
            ("席别代码", "座席代码", "seatcode"),
            ServiceColumn(ServiceType.RAIL, "seat_code", "text"),
        ),
        (
            ("航班", "航班号", "flight", "flightnumber", "flightno"),
            ServiceColumn(ServiceType.AIR, "flight", "text"),
        ),
        (
            ("舱位", "舱等", "舱位等级", "cabin"),
            ServiceColumn(ServiceType.AIR, "cabin", "text"),
        ),
        (
            ("星级", "酒店星级", "饭店星级", "starrating", "stars"),
            ServiceColumn(ServiceType.LODGING, "star_rating", "stars"),
        ),
        (
            ("年保费", "年缴保费", "年交保费", "annualpremium", "annualpremiumfen"),
            ServiceColumn(ServiceType.INSURANCE, "annual_premium_fen", "money"),
        ),
        (
            ("现金价值", "有无现金价值", "是否有现金价值", "cashvalue"),
            ServiceColumn(ServiceType.INSURANCE, "cash_value", "cash_value"),
        ),
        (
            ("理财产品", "保险理财产品", "是否理财产品", "wealthproduct"),
            ServiceColumn(ServiceType.INSURANCE, "wealth_product", "truth"),
        ),
        (
            ("学费", "年学费", "学年学费", "tuition", "annualfee", "annualtuition", "annualfeefen"),
            ServiceColumn(ServiceType.PRIVATE_SCHOOL, "annual_fee_fen", "money"),
        ),
    )
    for word in words
}

RESULT_HEADERS: Final = ("decision", "reason", "section", "remedy")
"""The headers of the four columns that come back."""
