"""Each ideograph has one character, whatever the system was that wrote it."""

import unicodedata

from checker.domain.ideographs import simplified, traditional_characters, unified


def test_every_private_character_of_gbk_has_its_ideograph() -> None:
    private = [chr(code) for code in range(0xE815, 0xE865)]
    ideographs = [unified(each) for each in private]
    assert len(private) == 80
    assert all(unicodedata.category(each) == "Lo" for each in ideographs)
    assert len(set(ideographs)) == 80
    assert unified("\ue863") == "\u4dae"


def test_every_radical_of_the_supplement_has_its_ideograph() -> None:
    radicals = [chr(code) for code in range(0x2E80, 0x2EF4) if unicodedata.name(chr(code), "")]
    left = [each for each in radicals if unicodedata.category(unified(each)) != "Lo"]
    # Unicode gives no ideograph for the repetition mark.
    assert left == ["\u2e80"]
    for each in radicals:
        if len(decomposed := unicodedata.normalize("NFKC", each)) == 1 and decomposed != each:
            assert unified(each) == decomposed


def test_a_unified_text_stays() -> None:
    for code in (*range(0x2E80, 0x2FE0), *range(0xE815, 0xE865)):
        once = unified(chr(code))
        assert unified(once) == once


def test_a_simplified_text_stays() -> None:
    traditional = traditional_characters()
    for code in range(0x3400, 0xA000):
        once = simplified(chr(code))
        assert simplified(once) == once
        assert (chr(code) in traditional) is (once != chr(code))


def test_the_private_area_outside_of_the_table_stays() -> None:
    assert unified("\ue000\uf8ff") == "\ue000\uf8ff"
