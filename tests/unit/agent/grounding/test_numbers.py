"""Which numbers a sentence claims, in which unit, how precisely."""

import pytest

from shared.agent.grounding.numbers import claimed_numbers


def read(sentence: str, **arguments) -> list[tuple[float, str]]:
    return [(round(number.value, 6), number.kind) for number in claimed_numbers(sentence, **arguments)]


@pytest.mark.parametrize(
    ("sentence", "numbers"),
    [
        ("It costs $430.47.", [(430.47, "price")]),
        ("It costs $ 430.47.", [(430.47, "price")]),
        ("It costs 430.47 USD.", [(430.47, "price")]),
        ("It costs USD 430.47.", [(430.47, "price")]),
        ("It costs 430.47USD.", [(430.47, "price")]),
        ("It costs \u20ac1,234.50, \u00a33, \u00a54000.", [(1234.5, "price"), (3, "price"), (4000, "price")]),
        ("It costs 12 euros or 5 pounds or 7 yen.", [(12, "price"), (5, "price"), (7, "price")]),
        ("It costs 430 dollars.", [(430, "price")]),
        ("It costs US$430.47.", [(430.47, "price")]),
        ("It costs HK$388.20.", [(388.2, "price")]),
        ("Up 4.68%.", [(4.68, "percent")]),
        ("Up 4.68 %.", [(4.68, "percent")]),
        ("Up 4.68 percent, 3 per cent, 2 pct.", [(4.68, "percent"), (3, "percent"), (2, "percent")]),
        ("Ahead by 8.95 percentage points.", [(8.95, "percent")]),
        ("Ahead by 8.95 pp.", [(8.95, "percent")]),
        ("Up 468 bps or 12 basis points.", [(4.68, "percent"), (0.12, "percent")]),
        ("Down -2.48%.", [(2.48, "percent")]),
        ("Down \u22122.48%.", [(2.48, "percent")]),
        ("(2.48%)", [(2.48, "percent")]),
        ("1,234,567 shares.", [(1234567, "plain")]),
        ("1.2 million shares.", [(1200000, "plain")]),
        ("20m shares and 3k more.", [(20000000, "plain"), (3000, "plain")]),
        ("Revenue of $1.23bn.", [(1230000000, "price")]),
        ("Revenue of 1.23 billion USD.", [(1230000000, "price")]),
        ("Worth 2.1 trillion dollars, 3T.", [(2100000000000, "price"), (3000000000000, "plain")]),
        ("5 thousand.", [(5000, "plain")]),
        ("The RSI is 32.8.", [(32.8, "plain")]),
        ("From 30 to 70.", [(30, "plain"), (70, "plain")]),
        ("Between 30\u201370.", [(30, "plain"), (70, "plain")]),
        ("It is 5x as much.", [(5, "plain")]),
        ("**430.47** and _2_", [(430.47, "plain"), (2, "plain")]),
        ("| 430.47 | 441.40 |", [(430.47, "plain"), (441.4, "plain")]),
        ("Nothing.", []),
        ("3M shares, 6M units, $3M.", [(3000000, "plain"), (6000000, "plain"), (3000000, "price")]),
        ("It costs SGD999.50 or TWD 12 or 5 BRL.", [(999.5, "price"), (12, "price"), (5, "price")]),
        ("F 12.50 USD", [(12.5, "price")]),
        ("H 150.00 USD", [(150, "price")]),
        ("F 1250 is the price", [(1250, "plain")]),
        ("RSI 72", [(72, "plain")]),
        ("The RSI (72) is high", [(72, "plain")]),
        ("RSI 32.8", [(32.8, "plain")]),
        ("ATR 5.5%", [(5.5, "percent")]),
        ("S&P 4321.50", [(4321.5, "plain")]),
        ("FTSE 7500", [(7500, "plain")]),
        ("Dow 9999.5", [(9999.5, "plain")]),
        ("Nasdaq 9999", [(9999, "plain")]),
        ("Nikkei 22512", [(22512, "plain")]),
    ],
)
def test_claims(sentence, numbers):
    """Value without its sign, and whether it is said to be a price, a percentage or neither."""
    assert numbers == read(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The RSI(14) is low.",
        "The RSI 14, the RSI-14 and the RSI14.",
        "SMA(50) and SMA 200, sma50, EMA20, EMA (12, 26).",
        "MACD(12,26,9) and Bollinger Bands (20, 2).",
        "ATR14 and stoch (14,3,3).",
        "The 50-day average, the 52-week high, a 20 day low, 12 months, 3-year, 200 trading days, 252 sessions.",
        "The S&P 500, the Nasdaq 100, Nasdaq-100, FTSE 100, DAX 40, CAC 40, Nikkei 225, Russell 2000, Euro Stoxx 50.",
        "In Q3, H1, FY25 and FY 2025.",
        "The 14-period RSI, the 200 DMA, the 50-DMA, the 50 SMA, the 20EMA and the 200-MA.",
        "Bands of two, that is 2 standard deviations.",
        "1Y return, 5Y, 3M: and 6M performance.",
        "1. First\n2) Second\n- 3. Third",
        "The Form 10-K and the Form 8-K.",
    ],
)
def test_labels_are_no_claims(sentence):
    """Digits that name an indicator's period, a window, an index, a quarter or a list item claim nothing."""
    assert read(sentence) == []


def test_unusual_period_is_a_label_where_an_indicator_has_it():
    """SMA(63) names something only when a 63-day average was computed."""
    assert read("The SMA(63) and the RSI 63") == [(63, "plain"), (63, "plain")]
    assert read("The SMA(63) and the RSI 63", periods=frozenset({63})) == []


@pytest.mark.parametrize(
    ("text", "tolerance"),
    [
        ("430", 0.5),
        ("430.5", 0.05),
        ("430.47", 0.005),
        ("1.2 million", 50_000),
        ("1.23bn", 5_000_000),
        ("468 bps", 0.005),
        ("4.7%", 0.05),
        ("1,234", 0.5),
    ],
)
def test_tolerance_is_half_of_the_last_shown_decimal(text, tolerance):
    """In the unit of the value, after scaling."""
    (number,) = claimed_numbers(text)

    assert number.tolerance == pytest.approx(tolerance)


def test_text_is_kept_as_written():
    """The report shows what the model wrote."""
    assert [number.text for number in claimed_numbers("Up $1,234.5 million USD or 5 %")] == [
        "$1,234.5 million USD",
        "5 %",
    ]
