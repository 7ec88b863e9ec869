"""How figures are put into words."""

import pytest

from shared.llm.analyst.wording import above_or_below, amount, listing, moment, percent, signed, up_or_down


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (430.47, "430.47 USD"),
        (1234567.891, "1,234,567.89 USD"),
        (0.5, "0.50 USD"),
        (0.1234, "0.1234 USD"),
        (0.0012, "0.0012 USD"),
        (-0.0312, "-0.0312 USD"),
        (0, "0.00 USD"),
        (1.0312, "1.03 USD"),
    ],
)
def test_amounts_have_two_decimals_unless_small(value, text):
    """A price of fractions of a cent keeps its digits."""
    assert text == amount(value, "USD")


def test_direction_is_a_word_and_the_size_has_no_sign():
    """'down 2.48%' and never 'down -2.48%'."""
    assert (percent(-2.476), signed(-2.476), signed(2)) == ("2.48%", "-2.48%", "+2.00%")
    assert [up_or_down(value) for value in (1, -1, 0)] == ["up", "down", "unchanged"]
    assert [above_or_below(value) for value in (1, -1, 0)] == ["above", "below", "above"]


def test_lists_read_like_lists():
    """One, two, three."""
    assert [listing(list(items)) for items in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


def test_moment_with_and_without_its_time():
    """The day for a close, the minute for an open market."""
    assert moment("2013-03-01T21:00:00Z", with_time=False) == "2013-03-01"
    assert moment("2013-03-01T21:00:00Z", with_time=True) == "2013-03-01 21:00 UTC"
