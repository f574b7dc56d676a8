"""Decodes a text file strictly: by its mark, else as UTF-8, else as GB18030."""

from typing import Final, NamedTuple

from checker.errors import InvalidRequest
from checker.sheets.refusals import refused

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_UNMARKED: Final = ("utf-8", "gb18030")


class DecodedText(NamedTuple):
    """A text with its encoding and the mark in front of it, so that it can be written back."""

    text: str
    encoding: str
    mark: bytes

    def encode(self, text: str) -> bytes:
        """Return another text in the same encoding, with the same mark."""
        return self.mark + text.encode(self.encoding)


def decode_text(content: bytes) -> DecodedText:
    """Return the text of a file.

    GBK is a part of GB18030. A text in another encoding may pass as GB18030; then no header is
    recognised in it.

    Raises:
        InvalidRequest: no encoding fits all of the file.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return DecodedText(_decoded(content[len(mark) :], encoding), encoding, mark)
    for encoding in _UNMARKED:
        try:
            return DecodedText(_decoded(content, encoding), encoding, b"")
        except InvalidRequest:
            continue
    raise _undecodable()


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        # `from None`: the cause quotes the input.
        raise _undecodable() from None


def _undecodable() -> InvalidRequest:
    return refused("is neither UTF-8 nor GB18030, nor UTF-16 with its mark")
