"""The bounds of a sheet that is read, each with its reason."""

from typing import Final

import msgspec


class SheetBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The largest sheet that is read; a page may set smaller bounds than the command line."""

    file_bytes: int = 32 << 20
    """A workbook of 10 000 rows and 300 columns has 7 MiB."""
    unpacked_bytes: int = 256 << 20
    """All parts of a workbook together: a bomb of 32 MiB would unpack to 32 GiB. The workbook above
    has 82 MiB."""
    rows: int = 100_000
    """Ten batches of the API; a check of them takes some seconds."""
    columns: int = 1_000
    cells: int = 4_000_000
    """Rows times columns, because the reader holds a place for each empty cell: 0.5 GiB."""


COMMAND_LINE_BOUNDS: Final = SheetBounds()

PAGE_BOUNDS: Final = SheetBounds(
    file_bytes=4 << 20,  # 10 000 rows of 10 columns have 0.7 MiB
    unpacked_bytes=96 << 20,
    rows=20_000,
    columns=400,
    cells=2_000_000,
)
"""The largest sheet that a page takes. It fits into the memory of the process that reads it."""
