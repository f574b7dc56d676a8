"""Finding the line of a value."""

import pytest

from checker.policy.toml_lines import Path, key_lines, line_of

TEXT = """\
top = 1
# top = 2
"quoted key" = 1

[[a]]
one = [
  "x = y",
]
[[a.b]]
two.three = 1
[[a.b]]
two = 2

[[a]]
  [a.c]
  four = 4
[[a.b]]
five = 5
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("quoted key",), 3),
        (("a",), 5),
        (("a", 0), 5),
        (("a", 0, "one"), 6),
        (("a", 0, "one", 0), 6),
        (("a", 0, "b"), 9),
        (("a", 0, "b", 0, "two"), 10),
        (("a", 0, "b", 0, "two", "three"), 10),
        (("a", 0, "b", 1, "two"), 12),
        (("a", 1), 14),
        (("a", 1, "c", "four"), 16),
        (("a", 1, "b", 0, "five"), 18),
        (("a", 1, "b", 0, "missing"), 17),
        (("elsewhere", "missing"), None),
        ((), None),
    ],
)
def test_a_value_is_found_at_its_key_or_the_nearest_table(path: Path, line: int | None) -> None:
    assert line_of(key_lines(TEXT), path) == line
