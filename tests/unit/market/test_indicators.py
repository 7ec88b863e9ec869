"""Indicators against published tables, against TA-Lib on the shipped prices, and at their edges."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.market import indicators

ROOT = Path(__file__).parents[3]
VECTORS: list[dict[str, Any]] = json.loads((ROOT / "tests/data/indicator_vectors.json").read_text())["vectors"]


def _bands(values, period, width):
    bands = indicators.bbands(values, period, width)
    return [bands.upper, bands.middle, bands.lower]


def _stoch_fast(high, low, close, k, d):
    result = indicators.stoch_fast(high, low, close, k=k, d=d)
    return [result.k, result.d]


def _stoch_slow(high, low, close, k, slowing, d):
    result = indicators.stoch_slow(high, low, close, k=k, slowing=slowing, d=d)
    return [result.k, result.d]


CALLS: dict[str, Callable[..., list[indicators.Series]]] = {
    "sma": lambda values, n: [indicators.sma(values, n)],
    "ema": lambda values, n: [indicators.ema(values, n)],
    "wilder": lambda values, n: [indicators.wilder(values, n)],
    "rsi": lambda values, n: [indicators.rsi(values, n)],
    "bbands": _bands,
    "atr_stockcharts": lambda h, lo, c, n: [indicators.atr(h, lo, c, n, count_first_bar=True)],
    "stoch_fast": _stoch_fast,
    "stoch_slow": _stoch_slow,
}


def test_all_published_vectors_are_run():
    """Eleven published tables are in the file, so that a truncated copy is noticed."""
    assert len(VECTORS) == 11


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_published_values_are_reproduced(vector):
    """Every printed value of the source comes out within its printed precision."""
    outputs = CALLS[vector["fn"]](*vector["inputs"], *vector["params"])

    assert len(vector["expect_tail"]) == len(outputs)
    for expected, output in zip(vector["expect_tail"], outputs, strict=True):
        assert expected == pytest.approx(output[-len(expected) :], abs=vector["abs_tol"])


# TA-Lib 0.8.2 on the raw prices of the shipped sample, at its last bar (2013-03-01).
GOLDENS: dict[str, dict[str, tuple[float | None, ...]]] = {
    "AAPL": {
        "sma50": (485.1072,),
        "sma200": (575.3454,),
        "ema20": (455.6874,),
        "rsi14": (32.7784,),
        "macd": (-12.7139, -12.2633, -0.4505),
        "bbands": (480.3094, 455.4920, 430.6746),
        "atr14": (11.8288,),
        "stoch": (7.8056, 12.1953),
    },
    "FB": {
        "sma50": (28.7835,),
        "sma200": (None,),
        "ema20": (28.1133,),
        "rsi14": (46.3616,),
        "macd": (-0.5082, -0.4066, -0.1016),
        "bbands": (29.5622, 28.0723, 26.5824),
        "atr14": (0.9744,),
        "stoch": (31.3863, 24.0792),
    },
    "GOOG": {
        "sma50": (751.3582,),
        "sma200": (678.8921,),
        "ema20": (784.9587,),
        "rsi14": (67.5252,),
        "macd": (15.1574, 15.8213, -0.6639),
        "bbands": (812.8406, 786.9580, 761.0754),
        "atr14": (12.2561,),
        "stoch": (82.9681, 74.8713),
    },
    "IBM": {
        "sma50": (197.9400,),
        "sma200": (196.5870,),
        "ema20": (200.3760,),
        "rsi14": (57.1872,),
        "macd": (0.6385, 0.6802, -0.0416),
        "bbands": (204.4735, 200.8445, 197.2155),
        "atr14": (2.5633,),
        "stoch": (82.4461, 61.7687),
    },
    "MSFT": {
        "sma50": (27.4087,),
        "sma200": (28.8792,),
        "ema20": (27.6907,),
        "rsi14": (56.0074,),
        "macd": (0.0854, 0.1008, -0.0153),
        "bbands": (28.2377, 27.7162, 27.1946),
        "atr14": (0.4182,),
        "stoch": (65.8450, 51.0028),
    },
}


@pytest.fixture(scope="module")
def sample() -> dict[str, dict[str, list[float]]]:
    columns: dict[str, dict[str, list[float]]] = {}
    with (ROOT / "shared/market/data/sample_ohlcv.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            symbol = columns.setdefault(row["symbol"], {"high": [], "low": [], "close": []})
            for name, values in symbol.items():
                values.append(float(row[name]))
    return columns


def _golden_outputs(bars: dict[str, list[float]]) -> dict[str, tuple[float | None, ...]]:
    high, low, close = bars["high"], bars["low"], bars["close"]
    macd, bands = indicators.macd(close), indicators.bbands(close)
    stoch = indicators.stoch_slow(high, low, close)
    return {
        "sma50": (indicators.sma(close, 50)[-1],),
        "sma200": (indicators.sma(close, 200)[-1],),
        "ema20": (indicators.ema(close, 20)[-1],),
        "rsi14": (indicators.rsi(close)[-1],),
        "macd": (macd.line[-1], macd.signal[-1], macd.histogram[-1]),
        "bbands": (bands.upper[-1], bands.middle[-1], bands.lower[-1]),
        "atr14": (indicators.atr(high, low, close)[-1],),
        "stoch": (stoch.k[-1], stoch.d[-1]),
    }


@pytest.mark.parametrize("symbol", GOLDENS)
def test_shipped_prices_give_the_values_of_talib(symbol, sample):
    """On the shipped prices all indicators agree with TA-Lib to the four decimals that were recorded."""
    outputs = _golden_outputs(sample[symbol])

    for name, expected in GOLDENS[symbol].items():
        for value, recorded in zip(outputs[name], expected, strict=True):
            assert value == (None if recorded is None else pytest.approx(recorded, abs=5.1e-5)), name


RISING = [float(value) for value in range(1, 61)]
HIGH = [value + 1 for value in RISING]
LOW = [value - 1 for value in RISING]

FIRST_INDEX: list[tuple[str, indicators.Series, int]] = [
    ("sma", indicators.sma(RISING, 5), 4),
    ("ema", indicators.ema(RISING, 5), 4),
    ("wilder", indicators.wilder(RISING, 5), 4),
    ("rsi", indicators.rsi(RISING, 14), 14),
    ("macd line", indicators.macd(RISING).line, 33),
    ("macd signal", indicators.macd(RISING).signal, 33),
    ("macd histogram", indicators.macd(RISING).histogram, 33),
    ("bands", indicators.bbands(RISING).lower, 19),
    ("atr", indicators.atr(HIGH, LOW, RISING), 14),
    ("atr of StockCharts", indicators.atr(HIGH, LOW, RISING, count_first_bar=True), 13),
    ("fast k", indicators.stoch_fast(HIGH, LOW, RISING).k, 13),
    ("fast d", indicators.stoch_fast(HIGH, LOW, RISING).d, 15),
    ("slow k", indicators.stoch_slow(HIGH, LOW, RISING).k, 15),
    ("slow d", indicators.stoch_slow(HIGH, LOW, RISING).d, 17),
]


@pytest.mark.parametrize(("series", "first"), [case[1:] for case in FIRST_INDEX], ids=[case[0] for case in FIRST_INDEX])
def test_first_value_stands_where_documented(series, first):
    """Each series is as long as its input, None up to the documented index and a float from there on."""
    assert len(RISING) == len(series)
    assert [None] * first == series[:first]
    assert all(isinstance(value, float) for value in series[first:])


@pytest.mark.parametrize("bars", [0, 1, 5])
def test_short_input_gives_only_none(bars):
    """Input shorter than the warm-up gives as many None as there are bars, and never an exception."""
    short, high, low = RISING[:bars], HIGH[:bars], LOW[:bars]
    macd, bands = indicators.macd(short), indicators.bbands(short)
    stoch = indicators.stoch_slow(high, low, short)
    nothing: list[None] = [None] * bars

    for series in (
        indicators.sma(short, 20),
        indicators.ema(short, 20),
        indicators.wilder(short, 20),
        indicators.rsi(short),
        *(macd.line, macd.signal, macd.histogram),
        *(bands.upper, bands.middle, bands.lower),
        indicators.atr(high, low, short),
        *(stoch.k, stoch.d),
    ):
        assert nothing == series


def test_macd_line_waits_for_its_signal():
    """With one bar less than the signal needs, the line is withheld although it could be computed."""
    assert indicators.macd(RISING[:33]).line == [None] * 33
    assert indicators.macd(RISING[:34]).line[33] is not None


def test_macd_histogram_is_line_minus_signal(sample):
    """At every bar the histogram is the difference of the other two series."""
    macd = indicators.macd(sample["GOOG"]["close"])

    for line, signal, histogram in zip(macd.line[33:], macd.signal[33:], macd.histogram[33:], strict=True):
        assert histogram == line - signal


def test_rsi_of_a_flat_series_is_none():
    """A price that never moved has no relative strength, rather than the 0 of TA-Lib."""
    assert indicators.rsi([5.0] * 30) == [None] * 30


@pytest.mark.parametrize(("values", "expected"), [(RISING, 100.0), (RISING[::-1], 0.0)], ids=["up", "down"])
def test_rsi_of_a_one_way_series_is_at_its_end(values, expected):
    """Only gains give 100, only losses 0."""
    assert {expected} == set(indicators.rsi(values)[14:])


def test_bands_of_a_flat_series_coincide():
    """Without any deviation the three bands are the mean."""
    bands = indicators.bbands([5.0] * 20)

    assert (bands.upper[-1], bands.middle[-1], bands.lower[-1]) == (5.0, 5.0, 5.0)


def test_range_indicators_of_a_flat_series_are_zero():
    """Bars without a range have a true range of 0 and, by convention, a stochastic of 0."""
    flat = [5.0] * 30
    stoch = indicators.stoch_fast(flat, flat, flat)

    assert indicators.atr(flat, flat, flat)[-1] == 0.0
    assert (stoch.k[-1], stoch.d[-1]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("high", "low", "expected"), [(20.0, 18.0, 11.0), (6.0, 4.0, 5.0), (10.0, 8.0, 2.0)], ids=["up", "down", "none"]
)
def test_true_range_includes_the_gap_from_the_previous_close(high, low, expected):
    """A bar of range 2 that lies wholly above or below the previous close of 9 has the gap in its true range."""
    assert indicators.atr([10.0, high], [8.0, low], [9.0, low], 1) == [None, expected]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_value_that_is_not_finite_is_refused(bad):
    """NaN would silently turn every later value of a recursive average into NaN."""
    with pytest.raises(ValueError, match="series values holds a value that is not finite"):
        indicators.rsi([*RISING, bad])


def test_series_of_different_lengths_are_refused():
    """High, low and close of different lengths cannot be of the same bars."""
    with pytest.raises(ValueError, match="series high, low, close must have the same length"):
        indicators.atr(HIGH, LOW[1:], RISING)


@pytest.mark.parametrize("period", [0, -1])
def test_period_below_one_is_refused(period):
    """A period below 1 is a mistake of the caller, not a short input."""
    with pytest.raises(ValueError, match="period must be at least 1"):
        indicators.sma(RISING, period)


def test_macd_with_crossed_periods_is_refused():
    """A fast average longer than the slow one is a swapped argument."""
    with pytest.raises(ValueError, match="fast period 26 must be shorter than slow period 12"):
        indicators.macd(RISING, 26, 12)
