"""Why a row cannot be checked, and the words for it. No word repeats the content of a cell."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.errors import EXPLANATIONS, InvalidReason
from checker.domain.measure import Title


class RowFault(StrEnum):
    """Why a row cannot be checked."""

    NO_NUMBER = "no_number"
    ROUNDED = "rounded"
    ZEROS_LOST = "zeros_lost"
    NOT_TEXT = "not_text"
    FORMULA = "formula"
    SEVERAL = "several"
    NO_TYPE = "no_type"
    UNKNOWN_TYPE = "unknown_type"
    INVALID_NUMBER = "invalid_number"
    INVALID_NAME = "invalid_name"
    NO_SERVICE = "no_service"
    INVALID_SERVICE = "invalid_service"
    OUT_OF_SCOPE = "out_of_scope"


class NotCheckable(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a row that cannot be checked. `detail` names the fault more exactly."""

    fault: RowFault
    detail: str = ""


WORDS: Final[Mapping[RowFault, Title]] = {
    RowFault.NO_NUMBER: Title(zh="没有证件号码", en="there is no document number"),
    RowFault.ROUNDED: Title(
        zh="证件号码已被 Excel 四舍五入，末尾数字丢失",
        en="Excel has rounded the number, and its last digits are lost",
    ),
    RowFault.ZEROS_LOST: Title(
        zh="证件号码是数值格式，开头的 0 可能已丢失",
        en="the cell is a number, so zeros in front may be lost",
    ),
    RowFault.NOT_TEXT: Title(
        zh="证件号码单元格是日期、逻辑值或小数，不是号码",
        en="the cell of the number holds a date, a truth value or a fraction",
    ),
    RowFault.FORMULA: Title(
        zh="单元格是公式而没有保存结果，或者是错误值",
        en="a cell holds a formula without a stored result, or an error",
    ),
    RowFault.SEVERAL: Title(
        zh="一个单元格里有多个人或多个号码", en="one cell names several people or numbers"
    ),
    RowFault.NO_TYPE: Title(
        zh="没有证件类型，号码也不是居民身份证号码",
        en="no document type is given, and the number is no resident ID",
    ),
    RowFault.UNKNOWN_TYPE: Title(zh="证件类型无法识别", en="the document type is unknown"),
    RowFault.INVALID_NUMBER: Title(zh="证件号码无效", en="the document number is invalid"),
    RowFault.INVALID_NAME: Title(zh="姓名无法使用", en="the name cannot be used"),
    RowFault.NO_SERVICE: Title(
        zh="这一行没有写明要办理的服务", en="the row names no service to buy"
    ),
    RowFault.INVALID_SERVICE: Title(
        zh="服务的内容不完整或无法识别", en="the service is incomplete or unknown"
    ),
    RowFault.OUT_OF_SCOPE: Title(
        zh="该账户无权查询这类服务", en="this account may not ask about the service"
    ),
}

DETAILS_ZH: Final[Mapping[str, str]] = {
    EXPLANATIONS[InvalidReason.LENGTH]: "位数不对",
    EXPLANATIONS[InvalidReason.CHARACTER]: "有不该出现的字符",
    EXPLANATIONS[InvalidReason.CHECK_DIGIT]: "校验码不符",
    EXPLANATIONS[InvalidReason.BIRTH_DATE]: "出生日期不存在或尚未到来",
}
"""The Chinese words for the explanations of an invalid number; others stay in English."""

_RETYPE: Final = Title(
    zh="请把单元格设为“文本”格式，对照证件重新输入号码",
    en="format the cell as text, and type the number again from the document",
)
_LOOK: Final = Title(zh="请对照证件核对这一行", en="compare the row with the document")
_SPLIT: Final = Title(zh="请每人一行、每格一个号码", en="give each person a row of their own")
_SERVICE: Final = Title(
    zh="请补全这一行的车次、席别、航班、星级或金额",
    en="complete the train, seat, flight, stars or amount of the row",
)
_OPERATOR: Final = Title(zh="请联系管理员", en="ask your operator")

REMEDIES: Final[Mapping[RowFault, Title]] = {
    RowFault.NO_NUMBER: _LOOK,
    RowFault.ROUNDED: _RETYPE,
    RowFault.ZEROS_LOST: _RETYPE,
    RowFault.NOT_TEXT: _RETYPE,
    RowFault.FORMULA: Title(
        zh="请把公式改为它的结果（选择性粘贴：数值）",
        en="replace the formula by its result (paste special: values)",
    ),
    RowFault.SEVERAL: _SPLIT,
    RowFault.NO_TYPE: Title(zh="请填写证件类型", en="give the document type"),
    RowFault.UNKNOWN_TYPE: Title(
        zh="请填写身份证、护照、港澳居民来往内地通行证、台胞证等",
        en="give a type such as resident ID, passport or travel permit",
    ),
    RowFault.INVALID_NUMBER: _LOOK,
    RowFault.INVALID_NAME: _LOOK,
    RowFault.NO_SERVICE: _SERVICE,
    RowFault.INVALID_SERVICE: _SERVICE,
    RowFault.OUT_OF_SCOPE: _OPERATOR,
}
"""The next step of the person who fills in the sheet."""
