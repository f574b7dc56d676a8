"""The error of a policy file or a setting."""


class PolicyError(Exception):
    """A file of measures or settings has a fault, so the service must not start.

    The text is `file:line: what is wrong, and what is allowed`; without a line if none is known.
    """

    def __init__(self, what: str, *, file: str, line: int | None) -> None:
        where = file if line is None else f"{file}:{line}"
        super().__init__(f"{where}: {what}")
        self.file = file
        self.line = line
