"""Any bytes are read or refused: no other error, and no error that repeats a number or a name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.parsers.parsers import CORPUS, PARSERS, corpus_of, hold
from tests.support.town import DEBTOR, DEBTOR_NAME

EVERY = pytest.mark.parametrize("name", PARSERS)

# Texts that mean something to one parser or another.
WORDS = 'null {} [] -1 1e400 " \\ud800 \\u0000 true , | < > * % ＊＊ ： İ \0 \u200b \u2028 \ufeff'
LONG = [b'{"a":' * 600, b"[" * 2_000, b"<" * 90, b"0" * 5_000]
BREAKS = [b"\n", b"\r", b"\xff\xfe"]
PERSONAL = [DEBTOR.encode(), DEBTOR_NAME.encode()]
TOKENS = st.sampled_from([*WORDS.encode().split(b" "), *LONG, *BREAKS, *PERSONAL])


@st.composite
def mutations(draw: st.DrawFn, examples: tuple[bytes, ...]) -> bytes:
    """Return a valid input after some cuts, copies, swaps and insertions."""
    data = draw(st.sampled_from(examples))
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        piece = draw(
            st.one_of(st.just(b""), st.just(data[start:end] * 2), TOKENS, st.binary(max_size=4))
        )
        data = data[:start] + piece + data[end:]
    return data


@EVERY
def test_any_bytes_are_read_or_refused(name: str) -> None:
    parser = PARSERS[name]
    for example in parser.examples:
        parser.read(example)
    for kept in corpus_of(name):
        hold(parser, kept)

    @given(st.one_of(mutations(parser.examples), st.binary(max_size=200)))
    @settings(max_examples=60)
    def read(data: bytes) -> None:
        hold(parser, data)

    read()


def test_every_parser_has_its_corpus() -> None:
    assert {path.stem for path in CORPUS.iterdir()} == {*PARSERS}
