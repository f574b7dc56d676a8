"""One spelling for numbers and codes that people type in many spellings.

Knows characters, not documents: width, case, spaces and hyphens.
"""

import unicodedata

# Spaces, dashes, and the invisible marks that are copied along from a page.
_SEPARATORS = frozenset({"Zs", "Pd", "Cf"})
_MINUS_SIGN = "\u2212"


def compact(text: str) -> str:
    """Return `text` in half width and upper case (NFKC), without spaces and hyphens."""
    if text.isascii() and text.isalnum():
        return text.upper()
    folded = unicodedata.normalize("NFKC", text)
    return "".join(character for character in folded if not _separates(character)).upper()


def without_spaces(text: str) -> str:
    """Return `text` without spaces, line breaks and invisible marks; hyphens stay."""
    if text.isalnum():
        return text
    return "".join(character for character in text if not _is_blank(character))


def _separates(character: str) -> bool:
    return (
        character.isspace()
        or character == _MINUS_SIGN
        or unicodedata.category(character) in _SEPARATORS
    )


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Zs", "Cf"}
