"""Named indicators of a history: values, periods, insufficient data, and names that do not exist."""

import pytest

from shared.errors import InvalidRequest
from shared.market.providers.sample import SampleProvider
from shared.market.technicals import DEFAULT_NAMES, read_indicators
from tests.unit.fakes.source import a_history

# TA-Lib 0.8.2 on the raw closes of the shipped sample, at its last bar.
GOLDENS = {
    "AAPL": [485.1072, 575.3454, 455.6874, 32.7784, -12.7139, 455.4920, 11.8288, 7.8056],
    "FB": [28.7835, None, 28.1133, 46.3616, -0.5082, 28.0723, 0.9744, 31.3863],
    "GOOG": [751.3582, 678.8921, 784.9587, 67.5252, 15.1574, 786.9580, 12.2561, 82.9681],
    "IBM": [197.9400, 196.5870, 200.3760, 57.1872, 0.6385, 200.8445, 2.5633, 82.4461],
    "MSFT": [27.4087, 28.8792, 27.6907, 56.0074, 0.0854, 27.7162, 0.4182, 65.8450],
}
NAMES = ["sma50", "sma200", "ema20", "rsi14", "macd", "bbands20", "atr14", "stoch"]


@pytest.mark.parametrize("symbol", GOLDENS)
async def test_behaviour_15_main_values_are_those_of_talib(symbol):
    """Every named indicator of every shipped symbol, in the order in which they were asked for."""
    bars = (await SampleProvider().history(symbol, "max", "1d")).bars
    readings = read_indicators(bars, NAMES)

    assert [reading.name for reading in readings] == NAMES
    for expected, reading in zip(GOLDENS[symbol], readings, strict=True):
        assert reading.value == (None if expected is None else pytest.approx(expected, abs=5.1e-5)), reading.name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("macd", {"macd": -12.7139, "signal": -12.2633, "histogram": -0.4505}),
        ("bbands20", {"upper": 480.3094, "middle": 455.4920, "lower": 430.6746}),
        ("stoch", {"k": 7.8056, "d": 12.1953}),
        ("sma50", {}),
    ],
)
async def test_compound_indicators_have_named_parts(name, parts):
    """Each line of a compound indicator is labelled; a plain one has none."""
    bars = (await SampleProvider().history("AAPL", "max", "1d")).bars
    (reading,) = read_indicators(bars, [name])

    assert parts == pytest.approx(reading.parts, abs=5.1e-5)


async def test_behaviour_15_too_few_bars_are_insufficient_data():
    """196 bars give no SMA200: no value, no parts, and how many it would need."""
    bars = (await SampleProvider().history("FB", "max", "1d")).bars
    (reading,) = read_indicators(bars, ["sma200"])

    assert (reading.value, reading.bars_used, reading.bars_needed, reading.period) == (None, 196, 200, 200)


@pytest.mark.parametrize("name", ["sma50", "ema20", "rsi14", "macd", "bbands20", "atr14", "stoch", "sma2", "rsi2"])
def test_bars_needed_is_exact(name):
    """One bar less gives nothing, that many give all parts."""
    (reading,) = read_indicators((), [name])
    closes = [100 + (n % 7) + n / 10 for n in range(reading.bars_needed)]
    (short,) = read_indicators(a_history(closes).bars[1:], [name])
    (enough,) = read_indicators(a_history(closes).bars, [name])

    assert (short.value, short.parts) == (None, {})
    assert enough.value is not None
    assert (enough.parts == {}) == (name not in {"macd", "bbands20", "stoch"})


def test_every_reading_says_period_bars_and_convention():
    """A number without its convention cannot be checked by anybody."""
    readings = read_indicators(a_history([float(n) for n in range(1, 60)]).bars, NAMES)

    assert [reading.period for reading in readings] == [50, 200, 20, 14, 26, 20, 14, 14]
    assert {reading.bars_used for reading in readings} == {59}
    assert all(reading.convention for reading in readings)
    assert {reading.unit for reading in readings} == {"price", "points"}


def test_flat_series_has_no_rsi():
    """A price that never moved has no relative strength, and nothing else fails."""
    readings = {reading.name: reading.value for reading in read_indicators(a_history([5.0] * 60).bars, NAMES)}

    assert readings["rsi14"] is None
    assert (readings["sma50"], readings["macd"]) == (5.0, 0.0)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("SMA50", "sma50"),
        ("sma_50", "sma50"),
        (" rsi ", "rsi14"),
        ("sma", "sma50"),
        ("ema", "ema20"),
        ("bbands", "bbands20"),
        ("atr", "atr14"),
        ("MACD", "macd"),
        ("ema2", "ema2"),
        ("sma400", "sma400"),
        ("sma050", "sma50"),
    ],
)
def test_names_are_read_leniently(name, canonical):
    """Case, underscores and a missing period are understood."""
    assert [canonical] == [reading.name for reading in read_indicators((), [name])]


def test_each_indicator_is_given_once():
    """Two spellings of one name are one reading."""
    assert len(read_indicators((), ["rsi", "RSI14", "rsi_14"])) == 1


@pytest.mark.parametrize(
    "name", ["", "sma1", "sma0", "sma401", "sma5000", "macd12", "stoch5", "vwap", "sma-5", "sma50\n/x", "é"]
)
def test_unknown_names_are_refused(name):
    """A name or period that does not exist is an invalid request, not an empty result."""
    with pytest.raises(InvalidRequest):
        read_indicators((), [name])


def test_long_names_are_not_repeated_in_full():
    """The message quotes 32 characters at most."""
    with pytest.raises(InvalidRequest) as raised:
        read_indicators((), ["x" * 5000])

    assert len(raised.value.detail) < 250


def test_default_names_are_known():
    """What is computed when nobody says what must be computable."""
    assert list(DEFAULT_NAMES) == [reading.name for reading in read_indicators(())]
