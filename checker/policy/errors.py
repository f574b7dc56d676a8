"""What is wrong with a policy or a setting, and where."""


class PolicyError(Exception):
    """A file of measures or settings that says something it may not; the service must not start.

    Reads `file:line: what is wrong, and what is allowed`; without a line where none is known.
    """

    def __init__(self, what: str, *, file: str, line: int | None) -> None:
        where = file if line is None else f"{file}:{line}"
        super().__init__(f"{where}: {what}")
        self.file = file
        self.line = line
