"""Whether a sentence is backed by the facts: ten that are, ten that are not, and the edges between them."""

from datetime import date

import pytest

from tests.unit.fakes.ledger import ORIGIN, a_checker, a_ledger

TRUE = [
    "Apple last closed at 430.47 USD.",
    "The close of $430.47 on 2013-03-01 was 2.48% below the previous close of 441.40 USD.",
    "It lost 10.93 dollars, about 2.5 %.",
    "With dividends the return was 6.2 percent from March 1, 2012.",
    "The RSI(14) of 32.8 is close to the 30 that is called oversold.",
    "It trades below its 200-day average of 575.35 USD.",
    "Revenue was $1.23 billion.",
    "About 20.1 million shares change hands each day.",
    "The payout ratio is 12.64 %.",
    "1. The price fell 248 bps on 1 March 2013.",
]
FALSE = [
    "Apple last closed at 431.47 USD.",
    "The close of $430.47 on 2013-03-04 was the last one.",
    "It lost 12.93 dollars.",
    "With dividends the return was 7.2 percent.",
    "The RSI(14) of 42.8 is neutral.",
    "It trades below its 200-day average of 585.35 USD.",
    "Revenue was $1.33 billion.",
    "About 30.1 million shares change hands each day.",
    "The payout ratio is 13.64 %.",
    "Analysts expect $500.",
]


@pytest.mark.parametrize("sentence", TRUE)
def test_true_sentence_passes(sentence):
    """No false alarm."""
    assert a_checker().unverified(sentence) == []


@pytest.mark.parametrize("sentence", FALSE)
def test_false_sentence_is_found(sentence):
    """No miss."""
    assert a_checker().unverified(sentence) != []


@pytest.mark.parametrize(
    ("sentence", "problems"),
    [
        ("It rose from $400 to $430.47, or 7.6%.", ["$400", "7.6%"]),
        ("On 2013-03-04 it cost 1,000.00 USD.", ["2013-03-04", "1,000.00 USD"]),
        ("Nothing to see.", []),
    ],
)
def test_problems_are_named_as_written(sentence, problems):
    """Every figure that nothing backs, and only those."""
    assert a_checker().unverified(sentence) == problems


@pytest.mark.parametrize(
    ("stated", "backed"),
    [
        ("430.47 USD", True),
        ("430.5 USD", True),
        ("430 USD", True),
        ("430.4 USD", False),
        ("431 USD", False),
        ("430.470 USD", True),
        ("430.475 USD", False),
        ("0.4 billion USD", False),
        ("1.235 billion USD", True),
        ("1.234 billion USD", False),
        ("1,234,567,890 USD", True),
        ("1,234,568 thousand USD", True),
        ("20 million shares", True),
        ("20.2 million shares", False),
        ("20,123,456 shares", True),
    ],
)
def test_tolerance_is_half_a_unit_of_the_last_shown_decimal(stated, backed):
    """Rounding is allowed, cutting off and embellishing are not."""
    assert backed == (a_checker().unverified(f"It was {stated}.") == [])


def test_exactly_half_a_unit_is_inside():
    """0.125 may be shown as 0.12 or 0.13: floating point does not decide."""
    ledger = a_ledger()
    ledger.add(ORIGIN, "x", 0.125, "USD")

    assert [a_checker(ledger=ledger).unverified(f"{text} USD.") for text in ("0.12", "0.13", "0.14")] == [
        [],
        [],
        ["0.14 USD"],
    ]


@pytest.mark.parametrize(
    ("sentence", "backed"),
    [
        ("It is up 430.47 %.", False),
        ("It costs 2.48 USD.", False),
        ("It costs $32.78.", False),
        ("The RSI is 32.78 %.", False),
        ("The RSI is 32.78.", True),
        ("The payout is 0.1264.", True),
        ("The payout is 12.64%.", True),
        ("The payout is $0.13.", False),
        ("A reading of 30 or 70%.", True),
        ("It costs $30.", False),
    ],
)
def test_price_and_percentage_are_not_exchanged(sentence, backed):
    """A percentage needs a percentage (or a ratio), an amount an amount; a convention is neither."""
    assert backed == (a_checker().unverified(sentence) == [])


def test_sign_is_left_to_the_words():
    """'Fell 2.48 %', '-2.48 %' and '+2.48 %' state the same size."""
    assert [a_checker().unverified(text) for text in ("fell 2.48%", "-2.48%", "+2.48%")] == [[], [], []]


@pytest.mark.parametrize(
    "sentence", ["It is $10.92 below.", "That is 0.975 of it.", "The range is $145.", "Both make $871.87."]
)
def test_derived_figures_are_refused(sentence):
    """A difference, quotient or sum of facts is no fact: what is derived comes from a tool."""
    assert a_checker().unverified(sentence) != []


def test_numbers_of_the_question_may_be_repeated():
    """The user's own figures and dates are no claims of the assistant."""
    checker = a_checker("Is 500 USD on 2014-01-05 realistic, 20 % up?")

    assert checker.unverified("You ask about 500 USD on 2014-01-05, that is 20%.") == []
    assert checker.unverified("I expect 501 USD on 2014-01-06.") == ["2014-01-06", "501 USD"]


def test_today_may_be_mentioned():
    """The day of the question is known without any tool."""
    assert a_checker().unverified("Today, 2026-06-12, the market is closed.") == []


def test_behaviour_2_without_any_fact_no_figure_passes():
    """An empty ledger backs nothing but the question."""
    from shared.agent.facts import FactLedger

    checker = a_checker("How is Apple?", FactLedger())

    assert checker.unverified("Apple costs $430.47, up 2.48 % since 2013-03-01.") == ["2013-03-01", "$430.47", "2.48 %"]
    assert checker.unverified("I have no figures for Apple.") == []


def test_ledger_may_grow_after_the_checker_was_made():
    """What a tool returns in a later round counts from then on."""
    ledger = a_ledger()
    checker = a_checker(ledger=ledger)
    assert checker.unverified("It was $27.78.") == ["$27.78"]
    ledger.add(ORIGIN, "x", 27.78, "USD")

    assert checker.unverified("It was $27.78.") == []


def test_digits_of_symbols_and_names_are_no_figures():
    """0700.HK, 3M and Series 1 name things; the same digits elsewhere still claim something."""
    ledger = a_ledger()
    ledger.introduce("MMM", "3M Company")
    ledger.introduce("QQQ", "Invesco QQQ Trust, Series 1")
    ledger.introduce("TDF", "Target 2031 Fund")
    ledger.introduce("0700.HK", "Tencent Holdings Limited")
    checker = a_checker(ledger=ledger)

    for sentence in (
        "3M Company (MMM) last closed at 430.47 USD.",
        "3M fell.",
        "Invesco QQQ Trust, Series 1 (QQQ) fell.",
        "The Target 2031 Fund fell.",
        "Do you mean Tencent (0700.HK)?",
    ):
        assert checker.unverified(sentence) == []
    assert checker.unverified("It sold 3 million, 700 more, until 2031.") == ["2031", "3 million", "700"]


def test_name_of_digits_alone_frees_no_figure():
    """A company that calls itself '999' does not make every 999 true."""
    ledger = a_ledger()
    ledger.introduce("X", "999")

    assert a_checker(ledger=ledger).unverified("It costs 999 USD.") == ["999 USD"]


def test_period_of_a_computed_indicator_is_a_label():
    """After an sma63 was computed, SMA(63) names it."""
    ledger = a_ledger()
    assert a_checker(ledger=ledger).unverified("The SMA(63) fell.") == ["63"]
    ledger.add(ORIGIN, "sma63", 433.0, "USD")

    assert a_checker(ledger=ledger).unverified("The SMA(63) fell.") == []


@pytest.mark.parametrize(
    "sentence",
    [
        "As of **March 1, 2013**, Apple (AAPL) closed at **$430.47**, down **$10.93 (\u22122.48%)**.",
        "It is below its 200\u2011day average of $575.35 and its 52\u2011week high.",
        "On 2013\u201103\u201101 it closed at 430.47\u00a0USD, at 4:00\u202fPM ET.",
        "- **14\u2011period RSI:** 32.8 (below 30 is oversold, above 70 may be overbought)",
        "| Last price | $430.47 | \u22122.48 % |",
        "The 1Y total return is +6.22 %, the 200-DMA is 575.35.",
        "On Friday, March 1, the S&P 500 member lost 2.5%; Q1 2013 is not over.",
        "Volume averages ~20.1M shares (20 trading days).",
    ],
)
def test_usual_ways_of_models_to_write_true_figures_pass(sentence):
    """Emphasis, typographic hyphens and minus signs, table rows and short labels raise no alarm."""
    assert a_checker().unverified(sentence) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "It is _999.99_.",
        "It is **$999**.",
        "It costs $.99.",
        "At 200\u2011999.",
        "The 200-DMA is 999.",
        "About ~999M shares.",
    ],
)
def test_usual_ways_of_models_to_write_false_figures_do_not_pass(sentence):
    """The same decorations hide nothing."""
    assert a_checker().unverified(sentence) != []


def test_dates_of_windows_count():
    """A day that a tool mentioned may be stated in any form."""
    assert a_checker().unverified("The peak was on 19 September 2012, in Sept 2012, in 2012.") == []
    assert a_checker().unverified("The peak was on 20 September 2012.") == ["20 September 2012"]


def test_today_defaults_to_the_real_day():
    """Without an injected day the checker knows the current one."""
    from datetime import UTC, datetime

    from shared.agent.facts import FactLedger
    from shared.agent.grounding.checker import GroundingChecker

    days: list[date] = [datetime.now(UTC).date()]
    checker = GroundingChecker(FactLedger(), "q")
    days.append(datetime.now(UTC).date())

    assert any(checker.unverified(f"On {day} it is so.") == [] for day in days)
