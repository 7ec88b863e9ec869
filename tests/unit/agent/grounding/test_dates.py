"""Which dates a sentence states, and which of them are known."""

from datetime import date

import pytest

from shared.agent.grounding.dates import take_dates
from shared.agent.grounding.numbers import claimed_numbers

KNOWN = {date(2013, 3, 1), date(2012, 9, 19)}


@pytest.mark.parametrize(
    "sentence",
    [
        "on 2013-03-01",
        "at 2013-03-01T21:00:00Z",
        "at 2013-03-01 21:00 UTC",
        "on 1 March 2013",
        "on 1st of March 2013",
        "on March 1, 2013",
        "on Mar. 1, 2013",
        "on Mar 1 2013",
        "on March 1st",
        "on 1 Mar",
        "in March 2013",
        "in March, 2013",
        "in 2013",
        "in 2012",
        "on 19 Sept 2012",
        "at 4:00 p.m. ET on 2013-03-01",
        "at 9:30 am",
        "at 4 pm",
        "at 21:00 UTC",
    ],
)
def test_known_dates_and_times_leave_no_digits(sentence):
    """In full or in part, a known date is neither unknown nor a figure."""
    remaining, unknown = take_dates(sentence, KNOWN)

    assert unknown == []
    assert list(claimed_numbers(remaining)) == []


@pytest.mark.parametrize(
    ("sentence", "unknown"),
    [
        ("on 2013-03-02", ["2013-03-02"]),
        ("on 2 March 2013", ["2 March 2013"]),
        ("on March 2, 2013", ["March 2, 2013"]),
        ("in April 2013", ["April 2013"]),
        ("on March 2", ["March 2"]),
        ("in 2011", ["2011"]),
        ("on 1 March 2012", ["1 March 2012"]),
        ("on 31 February 2013", ["31 February 2013"]),
        ("on 2013-13-45", ["2013-13-45"]),
        ("on May 5", ["May 5"]),
        ("on 5 May", ["5 May"]),
        ("in may 2014", ["may 2014"]),
    ],
)
def test_unknown_dates_are_named(sentence, unknown):
    """As they were written."""
    assert take_dates(sentence, KNOWN)[1] == unknown


@pytest.mark.parametrize(
    "sentence",
    [
        "A reading above 70 may suggest more.",
        "A value below 30 may follow.",
        "It may 5 times out of 10 rise.",
        "The price of 2013.50",
        "It costs $2013",
        "It costs 2013 USD",
        "It costs USD 2013",
        "It costs GBP 2013",
        "It costs 2013 euros",
        "It costs 2013 yen",
        "2013 shares",
        "2013 points",
        "2,013 in all",
        "2013%",
        "2013 thousand",
    ],
)
def test_figures_that_look_like_dates_stay_figures(sentence):
    """The verb 'may' makes no month, and a number with a unit is no year."""
    remaining, unknown = take_dates(sentence, KNOWN)

    assert (remaining, unknown) == (sentence, [])
