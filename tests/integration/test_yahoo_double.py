"""The Yahoo double itself: what tests rely on must be true of it."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.doubles import certificates
from tests.doubles.yahoo import CRUMB, HOSTS, YahooDouble
from tests.doubles.yahoo_process import YahooProcess

NOW = datetime(2026, 6, 12, 19, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
QUERY2 = "https://query2.finance.yahoo.com"


@pytest.fixture(scope="module")
def double():
    with YahooDouble(now=NOW) as double:
        yield double


@pytest.fixture(autouse=True)
def clean(double):
    double.reset()


class Client:
    """Any other HTTP client than the one under test, with Python's strict verification."""

    def __init__(self, double: YahooDouble) -> None:
        context = ssl.create_default_context(cafile=double.ca_file)
        proxy = urllib.request.ProxyHandler({"https": double.proxy_url})
        self._opener = urllib.request.build_opener(proxy, urllib.request.HTTPSHandler(context=context))

    def get(self, url, data=None, **headers):
        """Status, body and headers, whatever the status."""
        request = urllib.request.Request(url, data=data, headers=headers)
        try:
            with self._opener.open(request, timeout=10) as response:
                return response.status, response.read().decode(), response.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers

    def json(self, path, **headers):
        return json.loads(self.get(QUERY2 + path, **headers)[1])


@pytest.fixture
def client(double):
    return Client(double)


@pytest.fixture
def cookie(client):
    _, _, headers = client.get("https://fc.yahoo.com/")
    return headers["Set-Cookie"].partition(";")[0]


def test_certificates_satisfy_strict_verification(client):
    """Python's default context, strict since 3.13, accepts every host of the double."""
    assert client.get("https://fc.yahoo.com/")[0] == 404
    assert client.get(f"{QUERY2}/nowhere")[0] == 404


def test_unknown_authority_is_refused(double, tmp_path):
    """Without the double's authority the connection fails, so no test can pass by skipping verification."""
    stranger = certificates.issue(tmp_path, HOSTS)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": double.proxy_url}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=stranger.ca_file)),
    )
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        opener.open(f"{QUERY2}/nowhere", timeout=10)


def test_crumb_needs_the_cookie(client, cookie):
    """The crumb is given only to who shows the cookie."""
    url = f"{QUERY2}/v1/test/getcrumb"

    assert client.get(url)[:2] == (401, "")
    assert client.get(url, Cookie=cookie)[:2] == (200, CRUMB)


@pytest.mark.parametrize("path", ["/v10/finance/quoteSummary/AAPL?modules=price", "/v7/finance/quote?symbols=AAPL"])
def test_protected_answers_need_cookie_and_crumb(double, client, cookie, path):
    """Company data are refused without either of the two, unless the check is switched off."""
    assert client.get(f"{QUERY2}{path}&crumb={CRUMB}")[0] == 401
    assert client.get(f"{QUERY2}{path}&crumb=wrong", Cookie=cookie)[0] == 401
    assert client.get(f"{QUERY2}{path}&crumb={CRUMB}", Cookie=cookie)[0] == 200

    double.check_crumb = False
    assert client.get(f"{QUERY2}{path}")[0] == 200


def test_fault_counts_down(double, client):
    """A fault meets as many requests as it says, once by default, and then the answers are real again."""
    double.faults["query2.finance.yahoo.com/v8"] = {"status": 503, "body": "gone"}
    double.faults["query2.finance.yahoo.com/v1"] = {"status": 429, "times": 2}
    chart, search = f"{QUERY2}/v8/finance/chart/AAPL", f"{QUERY2}/v1/finance/search?q=apple"

    assert [client.get(chart)[0] for _ in range(2)] == [503, 200]
    assert [client.get(search)[0] for _ in range(3)] == [429, 429, 200]


def test_dropped_connection_has_no_answer(double, client):
    """A dropped request ends the connection and is logged with status 0."""
    double.faults["query2.finance.yahoo.com/v8"] = {"drop": True}

    with pytest.raises((http.client.HTTPException, OSError)):
        client.get(f"{QUERY2}/v8/finance/chart/AAPL")

    assert [request.status for request in double.requests] == [0]


def test_request_log_tells_what_came(double, client, cookie):
    """The log has method, host, path, query, cookie, user agent and status."""
    double.reset()
    client.get(f"{QUERY2}/v8/finance/chart/AAPL?range=5d", Cookie=cookie, **{"User-Agent": "probe"})

    (request,) = double.requests
    assert (request.method, str(request)) == ("GET", "query2.finance.yahoo.com/v8/finance/chart/AAPL")
    assert (request.query, request.cookie, request.user_agent, request.status) == ({"range": "5d"}, True, "probe", 200)


def test_reset_lets_held_requests_go_and_forgets(double, client):
    """Delayed answers are released by a reset, after which nothing of before is left in log or faults."""
    double.faults["query2.finance.yahoo.com/v8"] = {"delay": 60, "times": 3}
    threads = [threading.Thread(target=client.get, args=(f"{QUERY2}/v8/finance/chart/AAPL",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    double.wait_for_in_flight(3)
    assert double.max_in_flight == 3

    double.reset()
    for thread in threads:
        thread.join(10)

    assert not any(thread.is_alive() for thread in threads)
    assert (double.requests, double.faults, double.max_in_flight) == ([], {}, 0)


def test_sample_is_re_dated_to_end_today(client):
    """The shipped rows end on the double's day with their own prices, on weekdays only."""
    result = client.json("/v8/finance/chart/AAPL?range=5d")["chart"]["result"][0]
    days = [datetime.fromtimestamp(stamp, UTC) for stamp in result["timestamp"]]

    assert result["indicators"]["quote"][0]["close"][-1] == 430.47
    assert [f"{day:%a %d}" for day in days] == ["Mon 08", "Tue 09", "Wed 10", "Thu 11", "Fri 12"]
    assert result["meta"]["regularMarketTime"] == int(NOW.timestamp())


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 6, 12, 13, 29, tzinfo=UTC), "2026-06-11"),
        (datetime(2026, 6, 12, 13, 30, tzinfo=UTC), "2026-06-12"),
        (datetime(2026, 6, 14, 12, 0, tzinfo=UTC), "2026-06-12"),
    ],
)
def test_newest_bar_is_of_a_session_that_has_begun(now, last):
    """Before the opening bell and on weekends the newest bar is that of the last trading day."""
    with YahooDouble(now=now) as double:
        assert str(double.listings["AAPL"].bars[-1].day) == last


def test_dividends_follow_from_the_adjusted_closes(double):
    """The events are the payments known of the sample: 2.65 for Apple three times, none for Google."""
    assert list(double.listings["AAPL"].dividends.values()) == pytest.approx([2.65] * 3, abs=0.005)
    assert double.listings["GOOG"].dividends == {}


def test_the_library_reads_every_answer(double):
    """yfinance parses company data, statements, share counts, news, look-ups, batches and hourly bars."""
    yahoo = "__import__('shared.market.providers.yahoo_library', fromlist=['load']).load(providers[0]._proxy_url)"
    ticker = f"{yahoo}.Ticker('AAPL')"
    with YahooProcess(double) as process:
        process.provider()
        info = process.evaluate(f"(lambda info: (info['longName'], info['sector'], info['marketCap']))({ticker}.info)")
        assert info == ("Apple Inc.", "Technology", pytest.approx(430.47e9))
        assert process.evaluate(f"{ticker}.income_stmt.loc['Total Revenue'].tolist()[0]") == pytest.approx(130e9)
        assert process.evaluate(f"{ticker}.get_shares_full(start='2026-01-01').iloc[-1].item()") == 1_000_000_000
        assert process.evaluate(f"{ticker}.get_news(1)[0]['content']['title']") == "Apple Inc. in the news"
        assert process.evaluate(f"{yahoo}.Lookup('apple').get_stock().index.tolist()") == ["AAPL"]
        assert process.evaluate(f"len({ticker}.history(period='5d', interval='1h'))") == 35
        assert process.evaluate(f"{ticker}.dividends.tolist()") == pytest.approx([2.65] * 3, abs=0.005)


def test_command_line_serves_until_it_is_stopped():
    """Started by hand it prints the variables an application needs, serves, and ends on SIGTERM without an error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.doubles.yahoo"], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        names = dict(process.stdout.readline().strip().split("=", 1) for _ in range(4))
        assert set(names) == {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "YAHOO_PROXY_URL"}
        assert Path(names["SSL_CERT_FILE"]).exists()
        served = Client(type("Served", (), {"ca_file": names["SSL_CERT_FILE"], "proxy_url": names["YAHOO_PROXY_URL"]}))
        assert served.get("https://fc.yahoo.com/")[0] == 404
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(10)
        process.stdout.close()
    assert status == 0
    assert not Path(names["SSL_CERT_FILE"]).exists()
