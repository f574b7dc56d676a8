"""Names as they are compared: the document decides, a name only confirms.

Nothing here is fuzzy. Two names are the same when they differ in no more than width, case, spaces
and the shape of the middle dot (间隔号) inside the names of many minorities and foreigners.
"""

import unicodedata
from typing import Final

from checker.domain.text import without_spaces

MIDDLE_DOT: Final = "\u00b7"

# Bullet, hyphenation point, katakana dot, bullet operator, dot operator, word separator, and the
# full stop, which is what most keyboards offer in its place.
_DOTS = dict.fromkeys(map(ord, "\u2022\u2027\u30fb\u2219\u22c5\u2e31."), MIDDLE_DOT)


def normalize_name(text: str) -> str:
    """Give `text` as names are compared; twice gives the same as once.

    NFKC (so brackets become half-width), spaces out, one middle dot for all, case folded. The
    steps are repeated until nothing changes, because each can make work for another: a space
    taken out lets an accent join the letter before it.
    """
    folded = _fold(text)
    while folded != text:
        text, folded = folded, _fold(folded)
    return folded


def _fold(text: str) -> str:
    spaced = unicodedata.normalize("NFKC", text).translate(_DOTS)
    return unicodedata.normalize("NFKC", without_spaces(spaced).casefold())
