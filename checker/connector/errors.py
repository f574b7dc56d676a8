"""What can be wrong with a followed source; told to the operator, and tried again."""


class SourceFault(Exception):
    """The source is away, or says what cannot be used; nothing of that was taken in.

    The text names the fault and at most a file, never what stood in it. `retry_after_s` is how
    long the source asks to be left alone.
    """

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
