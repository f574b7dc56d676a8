"""The tests. A helper is imported by its path from here: `tests.support.town`."""

import pytest

# The asserts of helpers show their values too.
for kind in ("support", "contract", "faults", "integration", "property", "unit"):
    pytest.register_assert_rewrite(f"tests.{kind}")
