"""Which sentences of an answer leave, and which are held back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agent.grounding.gate import SentenceGate, Withheld
from tests.unit.fakes.ledger import a_checker

GOOD = [
    "It closed at 430.47 USD. ",
    "It fell 2.48%! ",
    "Nothing else?\n",
    "- The RSI(14) is 32.8.\n",
    "Apple Inc. fell. ",
]
BAD = ["It will be 999 USD. ", "It rose 77%.\n", "In 2044 more. "]


def run(*pieces: str, stop: bool = False) -> tuple[str, SentenceGate]:
    gate = SentenceGate(a_checker(), stop_at_failure=stop)
    return "".join([*map(gate.feed, pieces), gate.finish()]), gate


def test_sentences_that_pass_leave_unchanged():
    """Nothing is lost, added or reordered."""
    text = "".join(GOOD)

    assert run(text)[0] == text


def test_failing_sentence_is_withheld_with_its_figures():
    """The others leave; the record says which figures nothing backs."""
    text, gate = run(GOOD[0] + BAD[0] + GOOD[1] + BAD[1] + "End.")

    assert text == GOOD[0] + GOOD[1] + "End."
    assert gate.withheld == [Withheld(BAD[0], ("999 USD",)), Withheld(BAD[1], ("77%",))]
    assert gate.released == text


def test_stopping_gate_releases_nothing_behind_a_failure():
    """So that a corrected continuation can take its place; the whole text stays known."""
    text, gate = run(GOOD[0] + BAD[0] + GOOD[1], stop=True)

    assert (text, gate.released) == (GOOD[0], GOOD[0])
    assert gate.full_text == GOOD[0] + BAD[0] + GOOD[1]


def test_stopping_gate_goes_on_collecting_failures():
    """One correction can name all figures of the round."""
    assert [item.numbers for item in run(BAD[0] + BAD[1], stop=True)[1].withheld] == [("999 USD",), ("77%",)]


def test_last_sentence_needs_no_mark():
    """What is left at the end is checked, too."""
    assert run("It closed at 430.47 USD")[0] == "It closed at 430.47 USD"
    assert run("It closed at 999 USD")[0] == ""


def test_number_cut_by_the_stream_is_read_as_one():
    """'43', '0.4' and '7 USD' are 430.47 USD, and '9', '99' are 999."""
    assert run("At 43", "0.4", "7 U", "SD. ", "At 9", "99 USD. ", "End")[0] == "At 430.47 USD. End"


def test_new_gate_of_the_same_kind_is_empty():
    """A round that is tried again starts from nothing, with the same strictness."""
    _, gate = run(BAD[0], stop=True)
    anew = gate.anew()
    anew.feed(BAD[0])

    assert (anew.released, len(anew.withheld), anew.feed(GOOD[0]) + anew.finish()) == ("", 1, "")


@pytest.mark.parametrize("stop", [False, True])
@given(sentences=st.lists(st.sampled_from(GOOD + BAD), max_size=8), data=st.data())
def test_every_split_of_the_stream_gives_the_same_answer(stop, sentences, data):
    """Only white space around withheld sentences may differ; every good sentence is there, in order, no bad one is."""
    text = "".join(sentences)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    cut_off = next((i for i, item in enumerate(sentences) if item in BAD), len(sentences)) if stop else len(sentences)
    expected = "".join(item for item in sentences[:cut_off] if item in GOOD)

    for way in (pieces, [text], list(text)):
        answer, gate = run(*way, stop=stop)
        assert answer.split() == expected.split()
        assert gate.full_text == text
        assert len(gate.withheld) == sum(item in BAD for item in sentences)
