"""The Alpha Vantage double itself: what tests rely on must be true of it."""

import json
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.doubles.alpha_vantage import NOTICES, AlphaVantageDouble

NOW = datetime(2026, 6, 12, 21, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
KEY = "key-of-the-test"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def double():
    with AlphaVantageDouble(now=NOW, key=KEY) as double:
        yield double


@pytest.fixture(autouse=True)
def clean(double):
    double.reset()


def _get(double, query, key=KEY):
    with DIRECT.open(f"{double.base_url}/query?{query}&apikey={key}", timeout=10) as response:
        assert response.status == 200
        return json.loads(response.read())


def _notice(body):
    return next(iter(body.values()))


def test_daily_text_comes_after_the_allowance_and_echoes_the_key(double):
    """The 26th request of a day is refused with a sentence that contains the key."""
    bodies = [_get(double, "function=GLOBAL_QUOTE&symbol=IBM") for _ in range(26)]

    assert [next(iter(body)) for body in bodies] == ["Global Quote"] * 25 + ["Information"]
    assert f"detected your API key as {KEY} and" in _notice(bodies[-1])


def test_burst_text_comes_within_a_second(double):
    """Requests less than a second apart are refused, those a second apart are not."""
    double.min_interval_s = 1.0
    seen = []
    for moment in (5.0, 5.9, 6.9, 8.0):
        double.monotonic = lambda moment=moment: moment
        seen.append(next(iter(_get(double, "function=GLOBAL_QUOTE&symbol=IBM"))))

    assert seen == ["Global Quote", "Information", "Global Quote", "Global Quote"]


@pytest.mark.parametrize("key", ["", "wrong"])
def test_key_is_checked(double, key):
    """A missing key and a wrong one get the same sentence."""
    assert "apikey is invalid or missing" in _notice(_get(double, "function=OVERVIEW&symbol=IBM", key))


@pytest.mark.parametrize(
    ("query", "notice"),
    [
        ("function=TIME_SERIES_DAILY&symbol=IBM&outputsize=full", "premium"),
        ("function=TIME_SERIES_DAILY_ADJUSTED&symbol=IBM", "premium"),
        ("function=TIME_SERIES_DAILY&symbol=NOPE9", "bad_call"),
        ("function=NO_SUCH_FUNCTION", "bad_call"),
        ("function=NEWS_SENTIMENT&tickers=NOPE9", "not_followed"),
    ],
)
def test_refusals(double, query, notice):
    """What a free key may not do and what does not exist."""
    assert [*_get(double, query)] == [*NOTICES[notice]]
    assert _notice(_get(double, query))[:30] == _notice(NOTICES[notice])[:30]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("function=GLOBAL_QUOTE&symbol=NOPE9", {"Global Quote": {}}),
        ("function=OVERVIEW&symbol=NOPE9", {}),
        ("function=OVERVIEW&symbol=SPY", {}),
        ("function=SYMBOL_SEARCH&keywords=qqzzxxy", {"bestMatches": []}),
    ],
)
def test_no_data_shapes(double, query, body):
    """Each function has its own way to have nothing."""
    assert _get(double, query) == body


def test_series_is_the_newest_hundred_newest_first(double):
    """Prices are text with four decimals, by date from the newest."""
    body = _get(double, "function=TIME_SERIES_DAILY&symbol=AAPL")
    series = body["Time Series (Daily)"]

    assert len(series) == 100
    assert [*series] == sorted(series, reverse=True)
    assert series["2026-06-12"]["4. close"] == "430.4700"
    assert body["Meta Data"]["2. Symbol"] == "AAPL"


def test_split_is_in_the_prices(double):
    """Sixty sessions ago FORK fell to a quarter overnight, as it was traded."""
    rows = [*_get(double, "function=TIME_SERIES_DAILY&symbol=FORK")["Time Series (Daily)"].values()]

    assert float(rows[60]["4. close"]) / float(rows[59]["1. open"]) == pytest.approx(4, rel=0.01)


def test_faults_count_down(double):
    """A forced notice meets as many requests as it says, of its function only."""
    double.faults["OVERVIEW"] = {"notice": "daily_limit", "times": 2}

    assert "Global Quote" in _get(double, "function=GLOBAL_QUOTE&symbol=IBM")
    bodies = [_get(double, "function=OVERVIEW&symbol=IBM") for _ in range(3)]
    assert ["Symbol" in body for body in bodies] == [False, False, True]
    assert double.functions == ["GLOBAL_QUOTE", *["OVERVIEW"] * 3]


def test_command_line_serves():
    """Started by hand it prints its address and answers with the limits of a free key."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.doubles.alpha_vantage"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        name, _, url = process.stdout.readline().strip().partition("=")
        with DIRECT.open(f"{url}/query?function=OVERVIEW&symbol=IBM&apikey=any", timeout=10) as response:
            assert json.loads(response.read())["Symbol"] == "IBM"
        assert name == "ALPHA_VANTAGE_BASE_URL"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
