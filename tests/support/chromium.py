"""The browser of the tests of pages: the machine's own Chromium."""

import os
import shutil

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """The path of the browser; None: there is none, which in CI fails the tests that need it."""
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    assert found or not os.environ.get("CI"), "CI needs Chromium"
    return found
