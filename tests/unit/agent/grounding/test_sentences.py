"""Cutting a stream into sentences without losing any of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agent.grounding.sentences import SentenceSplitter


def split(*pieces: str) -> list[str]:
    splitter = SentenceSplitter()
    sentences = [sentence for piece in pieces for sentence in splitter.feed(piece)]
    return [sentence for sentence in [*sentences, splitter.flush()] if sentence]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One. ", "Two! ", "Three? ", "Four"]),
        ("At 430.47 USD. Up 2.5%.", ["At 430.47 USD. ", "Up 2.5%."]),
        ("Apple Inc. last closed. Next", ["Apple Inc. last closed. ", "Next"]),
        ("X Corp. vs. Y Co. Ltd. is, e.g. this. Next", ["X Corp. vs. Y Co. Ltd. is, e.g. this. ", "Next"]),
        ("On Mar. 1, 2013 it fell. Next", ["On Mar. 1, 2013 it fell. ", "Next"]),
        ("On 19 Sept. 2012 it fell. Next", ["On 19 Sept. 2012 it fell. ", "Next"]),
        ("Line one\nLine two\n\nLine three", ["Line one\n", "Line two\n\n", "Line three"]),
        ("1. First\n2. Second", ["1. First\n", "2. Second"]),
        ('He said "stop." Then', ['He said "stop." ', "Then"]),
        ("**Bold.** Then", ["**Bold.** ", "Then"]),
        ("Wait\u2026 what", ["Wait\u2026 ", "what"]),
        ("", []),
        ("   ", ["   "]),
    ],
)
def test_sentences(text, sentences):
    """Marks followed by space and line breaks end a sentence; decimals, abbreviations and list numbers do not."""
    assert sentences == split(text)


def test_sentence_leaves_as_soon_as_it_is_sure():
    """Not before the space behind its mark, and not later."""
    splitter = SentenceSplitter()

    assert [splitter.feed(piece) for piece in ("At 430", ".", "47 USD", ".", " Next")] == [
        [],
        [],
        [],
        [],
        ["At 430.47 USD. "],
    ]


def test_endless_sentence_is_cut_at_a_space():
    """Memory and delay stay bounded, and no number is cut in two."""
    pieces = split(*(["word 123456789 "] * 500))

    assert "".join(pieces) == "word 123456789 " * 500
    assert max(map(len, pieces)) <= 1200
    assert all(piece.endswith(" ") for piece in pieces)


def test_endless_word_is_cut_somewhere():
    """Without any space the bound still holds."""
    assert "".join(split("x" * 5000)) == "x" * 5000


TEXT = st.text(alphabet="ab1.!? \n\t\"')*\u2026,%$", max_size=60)


@given(TEXT, st.data())
def test_nothing_is_lost_or_changed(text, data):
    """However the stream is cut, the pieces add up to the text, in order."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert "".join(split(*pieces)) == text
