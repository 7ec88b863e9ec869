"""Text from outside ends up as what a reader would see of it."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.market.text import SUMMARY_LENGTH, TITLE_LENGTH, URL_LENGTH, clean_text, clean_url

TAGGED = "".join(chr(0xE0000 + ord(letter)) for letter in "obey me")
# Text that is likely to contain, and on cleaning to become, something that has to be cleaned.
FRAGMENTS = st.sampled_from(
    [
        *(
            "<",
            ">",
            "</",
            "<b>",
            "<script>",
            "</script>",
            "<!--",
            "-->",
            "&",
            "&lt",
            "&lt;",
            "&amp;",
            "&#60;",
            "&#x5b;",
        ),
        *("[", "]", "](", ")", "(", "!", ":", ";", "http://e.vil", "\u037e", "\u1fef", "\u200b", "\ufeff", "\u202e"),
        *("\U000e0041", "e", "\u0301", "\u0344", "\u0958", "\ud800", "\x00", "\x1c", "\x85", "\u2028", "\u2000"),
        *(" ", "a", "amp;", "lt;"),
    ]
)
TEXTS = st.lists(FRAGMENTS | st.characters(), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Apple Inc.", "Apple Inc."),
        ("  Apple\n\tInc.\u2028Q2 ", "Apple Inc. Q2"),
        ("Cafe\u0301 Holding", "Café Holding"),
        ("株式会社トヨタ", "株式会社トヨタ"),
        (f"Apple{TAGGED} Inc.", "Apple Inc."),
        ("Ap\u200bp\u2060le\ufeff In\u00adc.", "Apple Inc."),
        ("\u202eecnI\u202c \u2066x\u2069", "ecnI x"),
        ("A\U000e0100\ufe0fB\u3164C\u2800D\u034f", "ABCD"),
        ("\x00A\x1b[31mB\x7f\x9f", "A[31mB"),
        ("\ud83dA\ue000B\U0010ffff", "AB"),
        ("AT&amp;T &lt; &#8364;5 &nbsp; S&P", "AT&T < €5 S&P"),
        ("P/E < 10 and > 5", "P/E < 10 and > 5"),
        ("<b>Apple</b>&#39;s", "Apple's"),
        ("<p>One</p><p>Two<br/>Three</p>", "One Two Three"),
        ("A<script>steal()</script>B<style>p{}</style>C<!-- note -->D", "A B C D"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
        ("&amp;lt;img src=x&amp;gt;after", "after"),
        ("see <img src=x onerror=steal() ", "see img src=x onerror=steal()"),
        ("<https://evil.example/?q=1> here", "here"),
        ("[Apple](https://evil.example) rises", "Apple rises"),
        ("![chart](https://evil.example/?q=secret) up", "chart up"),
        ("[![alt](http://a.example/i.png)](http://b.example) x", "alt x"),
        ("[a](http://e.example/x_(y)) b", "a b"),
        ("[a](http://e.example", "[a] (http://e.example"),
        ("[a][1] [1]: http://e.example", "[a] [1] [1] : http://e.example"),
        ("[Update] Apple (AAPL) rises", "[Update] Apple (AAPL) rises"),
        ("", ""),
        ("\u200b \U000e0001", ""),
    ],
)
def test_what_is_left(raw, clean):
    """Visible words stay, hidden characters, tags, entities and link syntax go."""
    assert clean_text(raw, 80) == clean


@given(TEXTS)
@example("&" + "amp;" * 60 + "lt;b>")
@example("&am\u200bp;lt;")
@example("&lt\u037e")
@example("[" * 20 + "](" * 20 + ")" * 20)
def test_cleaning_twice_changes_nothing(text):
    """Clean text is a fixed point, at any length it may be cut to."""
    for limit in (1, 2, 7, 20, TITLE_LENGTH):
        once = clean_text(text, limit)

        assert clean_text(once, limit) == once
        assert clean_text(once, SUMMARY_LENGTH) == once


@given(TEXTS)
def test_nothing_hidden_and_no_markup_survives(text):
    """Whatever comes in, the result is short, NFC, encodable, on one line, and holds no tag and no link."""
    clean = clean_text(text, 40)

    assert len(clean) <= 40
    assert unicodedata.is_normalized("NFC", clean)
    clean.encode()
    assert clean == " ".join(clean.split())
    assert not [letter for letter in clean if unicodedata.category(letter) in {"Cc", "Cs", "Co"}]
    assert not [letter for letter in clean if "\u200b" <= letter <= "\u200f" or "\U000e0000" <= letter <= "\U000e0fff"]
    assert not [seam for seam in ("](", "][", "]:", "</", "<!", "<b", "<a") if seam in clean]


def test_long_text_is_cut_with_an_ellipsis():
    """The cut is visible and falls on no space."""
    assert clean_text("Apple Inc. and others", 12) == "Apple Inc.…"
    assert clean_text("Apple Inc.", 10) == "Apple Inc."


@pytest.mark.parametrize(
    "nasty",
    ["&amp;" * 10_000, "<script>" * 10_000, "[" * 50_000, "[](" * 20_000, "<" * 50_000, "<!--" * 20_000, "(" * 50_000],
    ids=lambda text: text[:8],
)
def test_hostile_text_costs_little(nasty):
    """Text made to keep a cleaner busy takes a fraction of a second of processor time."""
    started = time.process_time()
    clean_text(nasty, SUMMARY_LENGTH)

    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("https://finance.example/news/a-1?x=1&y=%20#top", "https://finance.example/news/a-1?x=1&y=%20#top"),
        (" http://finance.example:8080 ", "http://finance.example:8080"),
        ("HTTPS://Finance.Example/A", "HTTPS://Finance.Example/A"),
        ("https://finance.example/a_(b)", "https://finance.example/a_%28b%29"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//finance.example/a", ""),
        ("/a", ""),
        ("https://", ""),
        ("https://user:pass@finance.example/", ""),
        ("https://finance.example@evil.example/", ""),
        ("https://finance.example\\@evil.example/", ""),
        ("https://finance.example/a b", ""),
        ("https://finance.example/a\nb", ""),
        ('https://finance.example/"onclick="x', ""),
        ("https://finance.example/<script>", ""),
        ("https://f\u0131nance.example/", ""),
        ("https://finance.example/\u200b", ""),
        ("https://finance.example/" + "a" * URL_LENGTH, ""),
        ("", ""),
    ],
)
def test_addresses(raw, clean):
    """Only a plain web address stays, unable to end a link that is built around it."""
    assert clean_url(raw) == clean
    assert clean_url(clean) == clean
