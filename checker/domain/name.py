"""Names in the form in which they are compared: the document decides, a name only confirms.

Nothing here is fuzzy. Two names are the same if they differ only in width, case, spaces, and the
shape of the middle dot (间隔号) inside the names of many minorities and foreigners.
"""

import re
import unicodedata
from typing import Final

from checker.domain.text import without_spaces

MIDDLE_DOT: Final = "\u00b7"

# Bullet, hyphenation point, katakana dot, bullet operator, dot operator, word separator, and the
# full stop, which most keyboards offer in its place.
_DOTS = dict.fromkeys(map(ord, "\u2022\u2027\u30fb\u2219\u22c5\u2e31."), MIDDLE_DOT)


# The block of unified ideographs, from its first character to the last one of Unicode 1.1.
_is_common_chinese = re.compile("[\u4e00-\u9fa5]+").fullmatch


def normalize_name(text: str) -> str:
    """Return a name in the form in which names are compared. Twice gives the same as once.

    NFKC (so brackets become half-width), no spaces, one middle dot for all, case folded. The steps
    are repeated until nothing changes, because one step can make another necessary: without a
    space, an accent joins the letter before it. No step changes a common Chinese character.
    """
    if _is_common_chinese(text):
        return text
    folded = _fold(text)
    while folded != text:
        text, folded = folded, _fold(folded)
    return folded


def _fold(text: str) -> str:
    spaced = unicodedata.normalize("NFKC", text).translate(_DOTS)
    return unicodedata.normalize("NFKC", without_spaces(spaced).casefold())
