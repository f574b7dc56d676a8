"""Issuing states of passports as sheets name them: ISO 3166-1 alpha-3, or a usual name.

A name that is not here leaves the issuer unknown. Then a passport matches only with its name.
"""

from collections.abc import Mapping
from typing import Final

from checker.domain.issuer import STATES
from checker.sheets.documents import folded

_NAMES: Final[Mapping[str, str]] = {
    "CHN": "中国 中华人民共和国 china",
    "HKG": "香港 中国香港 hongkong",
    "MAC": "澳门 中国澳门 macao macau",
    "TWN": "台湾 中国台湾 taiwan",
    "USA": "美国 us unitedstates",
    "GBR": "英国 uk unitedkingdom",
    "CAN": "加拿大 canada",
    "AUS": "澳大利亚 澳洲 australia",
    "NZL": "新西兰 newzealand",
    "JPN": "日本 japan",
    "KOR": "韩国 大韩民国 southkorea",
    "PRK": "朝鲜 northkorea",
    "SGP": "新加坡 singapore",
    "MYS": "马来西亚 malaysia",
    "THA": "泰国 thailand",
    "VNM": "越南 vietnam",
    "PHL": "菲律宾 philippines",
    "IDN": "印度尼西亚 印尼 indonesia",
    "IND": "印度 india",
    "PAK": "巴基斯坦 pakistan",
    "RUS": "俄罗斯 russia",
    "MNG": "蒙古 蒙古国 mongolia",
    "KAZ": "哈萨克斯坦 kazakhstan",
    "FRA": "法国 france",
    "DEU": "德国 germany",
    "ITA": "意大利 italy",
    "ESP": "西班牙 spain",
    "PRT": "葡萄牙 portugal",
    "NLD": "荷兰 netherlands",
    "BEL": "比利时 belgium",
    "CHE": "瑞士 switzerland",
    "SWE": "瑞典 sweden",
    "UKR": "乌克兰 ukraine",
    "BRA": "巴西 brazil",
    "MEX": "墨西哥 mexico",
    "ZAF": "南非 southafrica",
    "NGA": "尼日利亚 nigeria",
}
_CODES: Final = {name: code for code, names in _NAMES.items() for name in names.split()}


def issuer_named(text: str) -> str | None:
    """Return the code of an issuing state; None: unknown."""
    word = folded(text)
    code = word.upper()
    return code if code in STATES else _CODES.get(word)
