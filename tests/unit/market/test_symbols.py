"""What counts as a symbol."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.market.symbols import InvalidSymbol, parse_symbol

PATTERN = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,14}")


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("AAPL", "AAPL"),
        ("aapl", "AAPL"),
        (" aapl ", "AAPL"),
        ("^GSPC", "^GSPC"),
        ("BRK-B", "BRK-B"),
        ("BRK.B", "BRK-B"),
        ("brk.a", "BRK-A"),
        ("BF.B", "BF-B"),
        ("0700.HK", "0700.HK"),
        ("7203.T", "7203.T"),
        ("SAP.DE", "SAP.DE"),
        ("VOD.L", "VOD.L"),
        ("RY.TO", "RY.TO"),
        ("EURUSD=X", "EURUSD=X"),
        ("BTC-USD", "BTC-USD"),
        ("\uff21\uff21\uff30\uff2c", "AAPL"),  # full-width letters
        ("A", "A"),
        ("ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNO"),
        ("^ABCDEFGHIJKLMNO", "^ABCDEFGHIJKLMNO"),
    ],
)
def test_symbol_is_accepted_in_its_neutral_form(text, symbol):
    """Case, width and a class suffix are normalised; an exchange suffix stays as it is."""
    assert symbol == parse_symbol(text)


REFUSED = {
    "path": "../x",
    "statement": "AAPL;DROP",
    "dots": "..",
    "dots inside": "A..B",
    "empty": "",
    "blank": "   ",
    "17 characters": "A" * 17,
    "16 characters": "A" * 16,
    "4 kB": "A" * 4096,
    "path after a line break": "AAPL\n/x",
    "trailing line break": "AAPL\n",
    "leading tab": "\tAAPL",
    "dotless i": "\u0131bm",
    "sharp s": "\u00dfAP",
    "ligature": "\ufb01x\u0131",
    "null": "AAPL\x00",
    "slash": "A/B",
    "percent": "A%2F",
    "space inside": "AA PL",
    "leading dot": ".AAPL",
    "leading hyphen": "-AAPL",
    "two carets": "^^GSPC",
    "caret alone": "^",
    "emoji": "\U0001f600",
    "half a surrogate pair": "\ud800A",
    "quote": "'A'",
    "colon": "NYSE:A",
    "one dot leader": "A\u2025B",  # NFKC turns it into two dots
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_anything_else_is_refused(text):
    """Nothing that could leave a URL path, a cache key or a log line gets through, and the text is not repeated."""
    with pytest.raises(InvalidSymbol) as raised:
        parse_symbol(text)

    assert not text.strip() or text not in raised.value.detail or len(text) < 3


@given(st.text(max_size=70))
@example("\uff0e\uff0e/")
@example("A\u2024\u2024B")
def test_result_always_fits_the_pattern(text):
    """Whatever is put in, what comes out fits the pattern, holds no '..', and is a fixed point."""
    try:
        symbol = parse_symbol(text)
    except InvalidSymbol:
        return
    assert PATTERN.fullmatch(symbol)
    assert ".." not in symbol
    assert symbol == parse_symbol(symbol)
