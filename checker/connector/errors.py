"""The error of a followed source. The follower logs it and tries again."""


class SourceFault(Exception):
    """The source is away, or its files cannot be used. Nothing of such a file was taken in.

    The text names the fault and at most a file, never the contents. `retry_after_s` is how long the
    source asks to be left alone.
    """

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
