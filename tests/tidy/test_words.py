"""One name means one thing, and sentences are plain: the words of the style, as machines see."""

import ast
import re
from collections import defaultdict

from tests.support.violations import assert_no_faults
from tests.tidy.sentences import comments, docstrings
from tests.tidy.source_tree import all_python, modules, nodes, read, shown

# Public class names that may stand twice, each with its reason.
SHARED_NAMES: dict[str, str] = {}

# A sentence begins with the text, behind the end of another, or as an item of a list.
OPENING = re.compile(
    r"(?:\A|[.!?:]\s+|\n\s*(?:[-*]|[0-9]+\.) )(What|Whoever|Whom|That which|So long as)\b"
)
TELLING = re.compile(r"\b(tell|tells|told|telling)\b", re.IGNORECASE)
OPENERS = re.compile(r"\b(?:What|Whoever|Whom|That which|So long as)\b")


def classes():
    """Places of every public class of the packages, by name."""
    found = defaultdict(list)
    for path in modules().values():
        for node in nodes(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(f"{shown(path, node.lineno)}: class {node.name}")
    return found


def matches(pattern, path, texts):
    return [
        f"{shown(path, line + text.count(chr(10), 0, match.start(1)))}: {match[1]}"
        for line, text in texts
        for match in pattern.finditer(text)
    ]


def test_a_public_class_name_stands_once():
    """The second definition of a name is a fault; a name that is shared has its reason above."""
    faults = {name: places[1:] for name, places in classes().items() if name not in SHARED_NAMES}
    assert_no_faults({name: all_ for name, all_ in faults.items() if all_})


def test_every_name_that_may_stand_twice_does():
    assert [name for name in SHARED_NAMES if len(classes()[name]) < 2] == []


def test_no_sentence_opens_with_a_clause_in_the_place_of_its_noun():
    assert_no_faults(
        {
            shown(path): matches(OPENING, path, docstrings(path) + comments(path))
            for path in all_python()
            if OPENERS.search(read(path))
        },
    )


def test_no_docstring_says_tell_for_another_verb():
    """The verbs are log, serialise, notify, return, render, raise, store: by what happens."""
    assert_no_faults(
        {shown(path): matches(TELLING, path, docstrings(path)) for path in all_python()},
    )


def test_the_search_finds_each_opening_where_a_sentence_begins():
    text = "What a riddle.\n    Whoever reads. This: Whom? Know what it is. So long as.\n    - What"
    assert OPENING.findall(text) == ["What", "Whoever", "Whom", "So long as", "What"]
    assert not OPENING.search("Somebody. Whatever comes. This is What")
