"""Names that get other keys make a new generation, so that older rows are renewed."""

from hashlib import sha256

from checker.domain.ideographs import simplified, traditional_characters
from checker.domain.masking import SHAPES
from checker.domain.name import name_keys
from checker.registry.key_renewal import KEYS

NAMES = (
    "陈示例",
    "陳示例（曾用名李四、李五）",
    "阿卜杜拉·买买提",
    "阿卜杜拉.买买提",
    "王\ue863",
    "李\ufe00四",
    "⻩示例",
    "张三①",
    "1.张三",
    "○示例",
    "示例（1）有限公司",
    "Jose-Maria  O'Neill",
)
EXPECTED = {1: "4b4ea372580e772d"}
"""The digest of each generation. If it changes, `KEYS` grows and gets the new digest here."""


def test_the_generation_grows_when_names_get_other_keys() -> None:
    digest = sha256()
    for name in NAMES:
        digest.update(repr((name_keys(name), name_keys(name, of_person=True))).encode())
    traditional = sorted(traditional_characters())
    digest.update("".join(traditional).encode())
    digest.update("".join(map(simplified, traditional)).encode())
    digest.update(repr([(each.name, each.first, each.past) for each in SHAPES]).encode())
    assert {KEYS: digest.hexdigest()[:16]} == EXPECTED
