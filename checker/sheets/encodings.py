"""Decodes a sheet of text strictly: a character that is lost could be a digit of a number."""

from typing import NamedTuple

from checker.errors import InvalidRequest, UnsupportedMediaType
from checker.sheets.refusals import SheetFault, refused
from checker.text_encoding import TextEncoding, encoding_of


class DecodedText(NamedTuple):
    """A text with its encoding, so that it can be written back."""

    text: str
    encoding: TextEncoding

    def encode(self, text: str) -> bytes:
        """Return another text in the same encoding, with the same mark."""
        return self.encoding.mark + text.encode(self.encoding.codec)


def decode_text(content: bytes) -> DecodedText:
    """Return the text of a file.

    Raises:
        InvalidRequest: the encoding is not known, or does not fit all of the file.
    """
    try:
        encoding = encoding_of(content)
        text = content[len(encoding.mark) :].decode(encoding.codec)
    except (UnsupportedMediaType, UnicodeDecodeError):
        # `from None`: a cause may quote the input.
        raise _undecodable() from None
    return DecodedText(text, encoding)


def _undecodable() -> InvalidRequest:
    text = "is neither UTF-8 nor GB18030, nor UTF-16 with its mark"
    return refused(text, fault=SheetFault.ENCODING)
