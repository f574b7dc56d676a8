"""The documented rights on Redis are enough for every command that the cache sends."""

import re
from pathlib import Path

RIGHTS = re.compile(r"^ACL SETUSER .*$", re.MULTILINE)
IN_LUA = re.compile(r"redis\.p?call\(\s*['\"](\w+)['\"]")
SENT = re.compile(r"[\[(]\s*\"([A-Z]{3,})\"\s*[,)\]]")
NO_COMMANDS = {"block", "sentinel"}
"""An argument, and a command to the sentinels."""


def test_every_command_of_the_cache_is_among_the_documented_rights() -> None:
    page = Path("docs/deployment.md").read_text(encoding="utf-8")
    [line] = RIGHTS.findall(page)
    rights = set(re.findall(r"\+(\w+)", line))
    sources = [path.read_text(encoding="utf-8") for path in Path("cache").rglob("*.py")]
    sent = {name.lower() for text in sources for name in IN_LUA.findall(text) + SENT.findall(text)}
    assert {"eval", "hmget", "zadd"} <= sent
    assert sorted(sent - rights - NO_COMMANDS) == []
