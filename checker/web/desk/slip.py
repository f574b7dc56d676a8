"""The slip of a check: its signed receipt as a QR code, drawn by segno as an SVG in the page."""

from typing import Final

import msgspec
import segno
from markupsafe import Markup

from checker.receipts.receipt import Receipt

_ERROR_LEVEL: Final = "l"
"""A slip is read at once and from paper that is not yet worn, so the code may be small."""


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt to print. `code` is the JWS as an SVG; None: the JWS is too long for one code.

    `opening` proves the subject of the receipt. It is printed for the guest, and the code does not
    have it.
    """

    code: Markup | None
    jws: str
    opening: str


def slip_of(receipt: Receipt) -> Slip:
    """Return the slip of a receipt."""
    return Slip(code=_code_of(receipt.jws), jws=receipt.jws, opening=receipt.opening)


def _code_of(text: str) -> Markup | None:
    try:
        code = segno.make(text, error=_ERROR_LEVEL, micro=False)
    except segno.DataOverflowError:
        return None
    drawn = code.svg_inline(scale=1, omitsize=True, svgclass="qr", lineclass=None, light="#fff")
    return Markup(drawn)  # noqa: S704 - drawn by segno, and holds no text
