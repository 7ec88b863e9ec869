"""The Yahoo adapter through the real yfinance and its real HTTP client, against the double."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from shared.market.provider import ProviderBusy, ProviderDown, ProviderMalformed, ProviderRateLimited, UnknownSymbol
from shared.market.types import Bar, Instrument, Quote, Split
from tests.doubles.yahoo import YahooDouble
from tests.doubles.yahoo_process import YahooProcess

# A Friday, 15:00 in New York: Wall Street is open, London and Hong Kong have closed.
NOW = datetime(2026, 6, 12, 19, 0, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)

CHART = "query2.finance.yahoo.com/v8/finance/chart/"
SEARCH = "query2.finance.yahoo.com/v1/finance/search"
HEAVY = "sorted({'yfinance', 'pandas', 'numpy', 'curl_cffi', 'google.protobuf'} & set(sys.modules))"
ALWAYS = 99


@pytest.fixture(scope="module")
def double():
    with YahooDouble(now=NOW) as double:
        yield double


@pytest.fixture(scope="module")
def process(double):
    """One process for all tests that do not care about a first time; importing yfinance costs a second or two."""
    with YahooProcess(double) as process:
        yield process


@pytest.fixture(autouse=True)
def clean(double):
    double.reset()
    yield
    double.reset()


@pytest.fixture
async def provider(process):
    provider = process.provider()
    yield provider
    await provider.aclose()


@pytest.fixture
def cold(double):
    with YahooProcess(double) as process:
        yield process


class TestFirstUse:
    """What a process pays once; each test starts its own."""

    async def test_costs_of_a_cold_process(self, double, cold):
        """Nothing heavy is imported until it is asked for, warming uses no network, and requests fall to one."""
        provider = cold.provider()
        assert cold.evaluate(HEAVY) == []

        await provider.warm()
        assert "yfinance" in cold.evaluate(HEAVY)
        assert double.paths() == []

        await provider.quote("AAPL")
        cookie, crumb = "fc.yahoo.com/", "query1.finance.yahoo.com/v1/test/getcrumb"
        assert double.paths() == [cookie, crumb, f"{CHART}AAPL", f"{CHART}AAPL"]
        assert [request.cookie for request in double.requests] == [False, True, True, True]
        assert all("Chrome" in request.user_agent for request in double.requests)

        double.reset()
        await provider.quote("AAPL")
        await provider.history("AAPL", "1y", "1d")
        await provider.search("apple", 3)
        assert double.paths() == [f"{CHART}AAPL", f"{CHART}AAPL", SEARCH]

        double.reset()
        await provider.quote("MSFT")
        assert double.paths() == [f"{CHART}MSFT"] * 2

    async def test_cost_of_an_unknown_symbol(self, double, cold):
        """An unknown symbol is expensive, eight requests cold and six warm, which is why callers remember it."""
        provider = cold.provider()
        with pytest.raises(UnknownSymbol):
            await provider.quote("NOPE1")
        assert len(double.requests) == 8

        for symbol in ("NOPE2", "NOPE3"):  # the library takes another way from the third one on
            double.reset()
            with pytest.raises(UnknownSymbol):
                await provider.quote(symbol)
            assert len(double.requests) == 6

    async def test_first_call_gets_its_own_deadline(self, double, cold):
        """A slow cookie is forgiven in the first call of a process, and the same delay is not in the next."""
        provider = cold.provider(timeout_s=0.6, first_call_timeout_s=20.0)
        double.faults["fc.yahoo.com"] = {"delay": 1.0}
        assert (await provider.quote("AAPL")).value > 0

        double.faults[CHART] = {"delay": 30.0}
        with pytest.raises(ProviderDown, match=r"no answer within 0\.6 s"):
            await provider.quote("MSFT")

    async def test_concurrent_first_calls_succeed(self, cold):
        """Calls that arrive together in a new process do not trip over each other's set-up."""
        provider = cold.provider(first_call_timeout_s=20.0)
        symbols = ("AAPL", "MSFT", "IBM", "GOOG", "VOD.L", "0700.HK", "BRK-B", "SPY")

        quotes = await asyncio.gather(*(provider.quote(symbol) for symbol in symbols))

        assert [quote.symbol for quote in quotes] == list(symbols)

    async def test_cache_folder_is_private_and_removed(self, cold):
        """The library's databases live in a folder of this process alone, which is gone when the process is."""
        await cold.provider().warm()
        folder = Path(cold.evaluate("sys.modules['yfinance'].cache._TzDBManager.get_location()"))
        assert folder.stat().st_mode & 0o777 == 0o700
        assert list(folder.glob("*.db"))

        assert cold.close() == 0
        assert not folder.exists()

    async def test_process_ends_although_a_request_hangs(self, double, cold):
        """A thread that the library holds for half a minute does not hold the process back when it wants to end."""
        provider = cold.provider(timeout_s=0.2, first_call_timeout_s=0.2)
        double.faults["fc.yahoo.com"] = {"delay": 60.0}
        with pytest.raises(ProviderDown):
            await provider.quote("AAPL")
        await asyncio.to_thread(double.wait_for_in_flight, 1)

        assert cold.close(timeout=15) == 0
        assert double.in_flight == 1

    async def test_nothing_is_written_to_stderr(self, double, cold):
        """With every warning an error, calls, closing and ending leave neither warnings nor upstream text behind."""
        provider = cold.provider()
        double.faults["fc.yahoo.com"] = {"drop": True}  # worth a warning to the library, which goes on without cookie
        double.faults[f"{CHART}IBM"] = {"status": 503, "body": "<html>leak</html>", "times": ALWAYS}
        await provider.history("AAPL", "max", "1d")
        with pytest.raises(ProviderDown):
            await provider.quote("IBM")
        cold.close()

        assert cold.errors() == "yahoo quote failed: ProviderDown (JSONDecodeError)\n"


class TestQuote:
    async def test_quote_is_the_market_price_with_its_moment(self, provider):
        """Value and moment are the market's own, the change is against the last day before."""
        assert await provider.quote("AAPL") == Quote(
            symbol="AAPL",
            name="Apple Inc.",
            value=430.47,
            currency="USD",
            as_of=NOW,
            source="yahoo",
            previous_close=441.4,
            change=pytest.approx(-10.93),
            change_percent=pytest.approx(-2.4762, abs=1e-4),
            market_state="open",
            exchange="NMS",
            timezone="America/New_York",
            type="equity",
        )

    async def test_pence_become_pounds(self, provider):
        """A price in pence is given in pounds, with Yahoo's own number and unit kept beside it."""
        quote = await provider.quote("VOD.L")

        assert (quote.value, quote.currency) == (0.7342, "GBP")
        assert (quote.original_value, quote.original_unit) == (73.42, "GBp")
        assert quote.previous_close == pytest.approx(0.731099)
        assert quote.change_percent == pytest.approx(100 * (73.42 / 73.1099 - 1))

    @pytest.mark.parametrize(("unit", "currency"), [("ZAc", "ZAR"), ("ILA", "ILS")])
    async def test_other_minor_units(self, double, provider, unit, currency):
        """South African cents and agorot are hundredths as well."""
        double.listings["VOD.L"] = replace(double.listings["VOD.L"], currency=unit)

        quote = await provider.quote("VOD.L")

        assert (quote.value, quote.currency, quote.original_unit) == (0.7342, currency, unit)

    async def test_unpriced_last_row_is_not_a_zero_change(self, double, provider):
        """With volume but no price in today's row, the change is that of the market price against yesterday."""
        yesterday = double.listings["GAPY"].bars[-2].close

        quote = await provider.quote("GAPY")

        assert (quote.value, quote.as_of) == (50.5, NOW)
        assert quote.previous_close == yesterday
        assert quote.change == pytest.approx(50.5 - yesterday)

    async def test_last_close_stands_in_for_a_missing_market_price(self, double, provider):
        """Without a market price the newest close is quoted, as of the close of its own day."""
        listing = double.listings["GAPY"]
        double.listings["GAPY"] = replace(listing, meta={"regularMarketPrice": None})

        quote = await provider.quote("GAPY")

        assert quote.value == listing.bars[-2].close
        assert quote.previous_close == listing.bars[-3].close
        assert quote.as_of == datetime(2026, 6, 11, 20, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("symbol", "kind", "currency"),
        [
            ("0700.HK", "equity", "HKD"),
            ("BRK-B", "equity", "USD"),
            ("SPY", "etf", "USD"),
            ("^GSPC", "index", "USD"),
            ("EURUSD=X", "currency", "USD"),
        ],
    )
    async def test_symbols_of_other_forms(self, provider, symbol, kind, currency):
        """Dots, hyphens, carets and equals signs reach Yahoo intact, and kinds of instrument are told apart."""
        quote = await provider.quote(symbol)

        assert (quote.symbol, quote.type, quote.currency) == (symbol, kind, currency)

    @pytest.mark.parametrize(
        ("now", "state"),
        [
            (datetime(2026, 6, 12, 7, 59, tzinfo=UTC), "closed"),
            (datetime(2026, 6, 12, 8, 0, tzinfo=UTC), "pre"),
            (datetime(2026, 6, 12, 13, 30, tzinfo=UTC), "open"),
            (datetime(2026, 6, 12, 19, 59, 59, tzinfo=UTC), "open"),
            (datetime(2026, 6, 12, 20, 0, tzinfo=UTC), "post"),
            (datetime(2026, 6, 13, 0, 0, tzinfo=UTC), "closed"),
            (datetime(2026, 6, 14, 15, 0, tzinfo=UTC), "closed"),
        ],
    )
    async def test_market_state_follows_the_clock(self, process, now, state):
        """The state is where the clock stands in the trading periods, their ends excluded."""
        assert (await process.provider(now=now).quote("AAPL")).market_state == state

    @pytest.mark.parametrize(("days", "stale"), [(0, False), (4, False), (5, True)])
    async def test_quote_older_than_four_days_is_stale(self, process, days, stale):
        """A Friday's price is current over a long weekend and stale on the fifth day."""
        provider = process.provider(now=NOW + timedelta(days=days))

        assert (await provider.quote("AAPL")).stale is stale
        assert (await provider.history("AAPL", "5d", "1d")).stale is stale


class TestHistory:
    async def test_bars_are_raw_with_the_adjusted_close_beside(self, double, provider):
        """The bars are Yahoo's rows unchanged, with the adjusted close as a separate number."""
        history = await provider.history("AAPL", "1mo", "1d")

        assert history.bars == tuple(
            Bar(row.day, row.open, row.high, row.low, row.close, row.adj_close, row.volume)
            for row in double.listings["AAPL"].bars[-22:]
        )
        assert history.as_of == NOW
        assert history.split_adjusted is True

    async def test_days_are_those_of_the_exchange(self, double, provider):
        """A bar of Hong Kong, whose midnight is the day before in UTC, keeps its date."""
        history = await provider.history("0700.HK", "5d", "1d")

        assert [bar.date for bar in history.bars] == [row.day for row in double.listings["0700.HK"].bars[-5:]]
        assert (history.timezone, history.as_of) == ("Asia/Hong_Kong", datetime(2026, 6, 12, 8, 0, tzinfo=UTC))

    async def test_every_price_of_a_bar_becomes_pounds(self, double, provider):
        """All five prices of a bar in pence are divided, the volume is not."""
        row = double.listings["VOD.L"].bars[-1]

        bar = (await provider.history("VOD.L", "5d", "1d")).bars[-1]

        assert bar == Bar(
            row.day, row.open / 100, row.high / 100, row.low / 100, row.close / 100, row.adj_close / 100, row.volume
        )

    async def test_unpriced_row_is_dropped(self, provider):
        """A row without a close is no bar, and the history is as of the bar before it."""
        history = await provider.history("GAPY", "5d", "1d")

        assert [bar.date for bar in history.bars][-1] == YESTERDAY
        assert len(history.bars) == 4
        assert history.as_of == datetime(2026, 6, 11, 20, 0, tzinfo=UTC)

    async def test_splits_are_listed(self, double, provider):
        """A split inside the period is reported once with its ratio, and none outside of it."""
        day = double.listings["FORK"].bars[-60].day

        assert (await provider.history("FORK", "6mo", "1d")).splits == (Split(day, 4.0),)
        assert (await provider.history("FORK", "1mo", "1d")).splits == ()

    async def test_whole_history_ends_today(self, double, provider):
        """The longest period has every bar of the listing."""
        history = await provider.history("AAPL", "max", "1d")

        assert len(history.bars) == len(double.listings["AAPL"].bars)
        assert history.bars[-1].date == TODAY

    async def test_coarse_bars_are_as_of_the_last_trade(self, provider):
        """A monthly bar bears the first of its month, while its price is from now."""
        history = await provider.history("AAPL", "6mo", "1mo")

        assert history.bars[-1].date == date(2026, 6, 1)
        assert history.as_of == NOW

    async def test_range_without_rows_is_malformed(self, double, provider):
        """No rows in the range says nothing about the symbol."""
        double.faults[CHART] = {"body": _chart_without_rows(), "ctype": "application/json", "times": ALWAYS}

        with pytest.raises(ProviderMalformed):
            await provider.history("AAPL", "5d", "1d")


class TestSearch:
    async def test_candidates_are_mapped(self, provider):
        """A candidate has symbol, name, exchange, kind and Yahoo's own ranking; its currency is not known."""
        assert await provider.search("tencent", 5) == (
            Instrument(
                symbol="0700.HK",
                name="Tencent Holdings Limited",
                exchange="HKG",
                type="equity",
                source="yahoo",
                prominence=30000.0,
            ),
        )

    async def test_limit_is_sent_and_kept(self, double, provider):
        """Yahoo is asked for as many candidates as wanted and for neither news nor lists."""
        assert len(await provider.search("inc", 2)) == 2

        query = double.requests[-1].query
        assert (query["quotesCount"], query["newsCount"], query["listsCount"]) == ("2", "0", "0")

    async def test_error_in_json_is_not_an_empty_result(self, double, provider):
        """An answer without a list of candidates is a failure; the library itself would report no match."""
        body = '{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}'
        double.faults[SEARCH] = {"status": 401, "body": body, "ctype": "application/json", "times": ALWAYS}

        with pytest.raises(ProviderMalformed, match="search answer without candidates"):
            await provider.search("apple", 5)


def _chart_without_rows() -> str:
    return '{"chart":{"result":[{"meta":{},"indicators":{"quote":[{}],"adjclose":[{}]}}],"error":null}}'


def _chart_error(code: str, description: str) -> str:
    return json.dumps({"chart": {"result": None, "error": {"code": code, "description": description}}})


JSON = "application/json"
FAULTS = [
    pytest.param({"status": 429}, ProviderRateLimited, "too many requests", id="429"),
    pytest.param({"status": 503, "body": "<html>secret</html>"}, ProviderDown, "error page", id="503 page"),
    pytest.param({"status": 502, "body": ""}, ProviderDown, "error page", id="empty body"),
    pytest.param({"drop": True}, ProviderDown, "connection failed", id="dropped"),
    pytest.param({"body": "Will be right back"}, ProviderDown, "maintenance notice", id="maintenance"),
    pytest.param({"body": '{"secret":1}', "ctype": JSON}, ProviderMalformed, "no prices", id="other object"),
    pytest.param({"body": '["secret"]', "ctype": JSON}, ProviderMalformed, "no prices", id="list"),
    pytest.param({"body": _chart_without_rows(), "ctype": JSON}, ProviderMalformed, "no prices", id="no rows"),
    pytest.param(
        {"status": 500, "body": _chart_error("Internal Server Error", "secret"), "ctype": JSON},
        ProviderMalformed,
        "no prices in the answer",
        id="wrapped 500",
    ),
]


class TestFailures:
    @pytest.mark.parametrize("operation", ["quote", "history"])
    @pytest.mark.parametrize(("fault", "expected", "detail"), FAULTS)
    async def test_faults_become_the_callers_reactions(self, double, provider, operation, fault, expected, detail):
        """Each kind of failure raises the one error that says what to do about it."""
        arguments = {"quote": ("AAPL",), "history": ("AAPL", "1mo", "1d")}[operation]
        await provider.quote("AAPL")  # the time zone is known from here on: the fault meets the request for prices
        double.faults[CHART] = {**fault, "times": ALWAYS}

        with pytest.raises(expected, match=detail) as raised:
            await getattr(provider, operation)(*arguments)

        assert type(raised.value) is expected
        assert raised.value.provider == "yahoo"

    @pytest.mark.parametrize(("fault", "expected", "detail"), FAULTS)
    async def test_no_upstream_text_reaches_the_error(self, double, provider, fault, expected, detail):
        """Neither the message nor the traceback with its chained causes shows a URL or what Yahoo wrote."""
        double.faults[CHART] = {**fault, "times": ALWAYS}

        with pytest.raises(expected) as raised:
            await provider.quote("AAPL")

        shown = str(raised.value) + "".join(raised.value.__notes__)
        assert "Traceback" in shown
        assert not [word for word in ("secret", "http", "finance.yahoo", "AAPL", "curl") if word in shown]

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [
            ({"status": 429}, ProviderRateLimited),
            ({"status": 503, "body": "<html/>"}, ProviderDown),
            ({"drop": True}, ProviderDown),
        ],
    )
    async def test_failing_search(self, double, provider, fault, expected):
        """A search fails as the other calls do, instead of finding nothing."""
        double.faults[SEARCH] = {**fault, "times": ALWAYS}

        with pytest.raises(expected):
            await provider.search("apple", 5)

    async def test_refusal_is_not_repeated(self, double, provider):
        """429 costs the three requests that the library insists on and no more."""
        await provider.quote("AAPL")
        double.reset()
        double.faults[CHART] = {"status": 429, "times": ALWAYS}

        with pytest.raises(ProviderRateLimited):
            await provider.quote("AAPL")

        assert [request.status for request in double.requests] == [429, 200, 429]

    async def test_price_without_currency_is_malformed(self, double, provider):
        """A number whose currency is not told is not a price."""
        double.listings["AAPL"] = replace(double.listings["AAPL"], meta={"currency": ""})

        with pytest.raises(ProviderMalformed, match="price without a currency"):
            await provider.quote("AAPL")

    async def test_symbol_without_any_price_is_malformed(self, double, provider):
        """Rows without a single close and no market price are not a quote and not a history either."""
        listing = double.listings["GAPY"]
        unpriced = [*listing.bars[:-5], *(replace(row, close=None, adj_close=None) for row in listing.bars[-5:])]
        double.listings["GAPY"] = replace(listing, bars=unpriced, meta={"regularMarketPrice": None})

        with pytest.raises(ProviderMalformed):
            await provider.quote("GAPY")
        with pytest.raises(ProviderMalformed):
            await provider.history("GAPY", "5d", "1d")

    async def test_rows_without_prices_and_volume_are_malformed(self, double, provider):
        """The library drops such rows and returns an empty table, which says nothing about the symbol."""
        listing = double.listings["AAPL"]
        blank = {"open": None, "high": None, "low": None, "close": None, "adj_close": None, "volume": 0}
        rows = [*listing.bars[:-5], *(replace(row, **blank) for row in listing.bars[-5:])]
        double.listings["AAPL"] = replace(listing, bars=rows)

        with pytest.raises(ProviderMalformed, match="empty price table"):
            await provider.quote("AAPL")
        with pytest.raises(ProviderMalformed, match="empty price table"):
            await provider.history("AAPL", "5d", "1d")

    async def test_unknown_symbol_stays_unknown(self, provider):
        """The symbol is unknown every time, whichever of the library's two ways the answer takes."""
        for attempt in range(4):
            with pytest.raises(UnknownSymbol, match="the symbol is not listed"):
                await provider.quote(f"NOPE{attempt}")

    async def test_unknown_symbol_of_the_longest_period(self, provider):
        """The longest period needs the symbol's time zone first, and reports its absence the same way."""
        for attempt in range(4):
            with pytest.raises(UnknownSymbol):
                await provider.history(f"NADA{attempt}", "max", "1d")

    async def test_outage_during_the_look_up_is_not_an_unknown_symbol(self, double, provider):
        """A 404 page of some other kind on the way says nothing about the symbol."""
        double.faults[CHART] = {"status": 404, "body": "<html>no route</html>", "times": ALWAYS}

        with pytest.raises(ProviderDown):
            await provider.quote("NOPE9")

    @pytest.mark.parametrize("body", ['{"secret":1}', '["secret"]', "null", _chart_without_rows()])
    async def test_odd_answer_to_the_look_up_is_malformed(self, double, provider, body):
        """The request for a new symbol's time zone can meet an odd answer as well; that is not a 404 either."""
        double.faults[CHART] = {"body": body, "ctype": JSON, "times": ALWAYS}

        with pytest.raises(ProviderMalformed):
            await provider.quote("FB")

    async def test_isin_is_refused_without_a_request(self, double, provider):
        """The library would translate the number into some symbol that nobody asked for."""
        with pytest.raises(UnknownSymbol):
            await provider.quote("US0378331005")

        assert double.requests == []

    async def test_first_failure_of_a_symbol_is_not_remembered(self, double, provider):
        """One 503 on a symbol's first request does not outlive the outage, although the library keeps it."""
        double.listings["FRSH"] = replace(double.listings["IBM"], symbol="FRSH")
        double.faults[CHART] = {"status": 503, "body": "<html/>", "times": 2}
        with pytest.raises(ProviderDown):
            await provider.quote("FRSH")

        assert (await provider.quote("FRSH")).value == 202.91

    async def test_failed_search_is_not_remembered(self, double, provider):
        """The same search works again as soon as Yahoo does."""
        double.faults[SEARCH] = {"status": 503, "body": "<html/>", "times": 2}
        with pytest.raises(ProviderDown):
            await provider.search("apple", 5)

        assert [found.symbol for found in await provider.search("apple", 5)] == ["AAPL"]

    async def test_search_asks_yahoo_every_time(self, double, provider):
        """A repeated search is a request, not a copy without expiry: keeping results is the cache's business."""
        await provider.search("apple", 5)
        await provider.search("apple", 5)

        assert double.paths() == [SEARCH, SEARCH]


class TestThreads:
    async def test_hung_calls_count_and_the_rest_is_refused(self, double, process):
        """Two hung calls and two waiting ones fill a pool of two; the others fail at once, and it recovers."""
        provider = process.provider(max_workers=2, timeout_s=0.5, first_call_timeout_s=0.5)
        double.faults[CHART] = {"delay": 30.0, "times": ALWAYS}

        outcomes = await asyncio.gather(*(provider.quote(f"NEW{n}") for n in range(6)), return_exceptions=True)

        assert [outcome.detail for outcome in outcomes] == ["no answer within 0.5 s"] * 4 + ["no worker is free"] * 2
        assert provider.unfinished() == 2  # the waiting ones gave their places back

        double.reset()
        assert [item.symbol for item in await provider.search("apple", 1)] == ["AAPL"]
        async with asyncio.timeout(5):
            while provider.unfinished():
                await asyncio.sleep(0.01)

    async def test_calls_run_side_by_side_up_to_the_bound(self, double, process):
        """Sixteen calls at once all succeed on eight threads, and never more than eight are at Yahoo."""
        provider = process.provider(max_workers=8, first_call_timeout_s=20.0)
        await provider.quote("AAPL")
        double.latency = 0.05

        quotes = await asyncio.gather(*(provider.quote("AAPL") for _ in range(15)))

        assert len(quotes) == 15
        assert 1 < double.max_in_flight <= 8

    async def test_closed_provider_refuses_and_its_threads_end(self, process):
        """After closing, calls are refused without being made, and idle threads are gone."""
        # The process reads its commands on threads of asyncio's own, which come and go.
        names = "[thread.name for thread in threading.enumerate() if not thread.name.startswith('asyncio')]"
        before = set(process.evaluate(names))
        provider = process.provider()
        await provider.quote("AAPL")
        index = process.evaluate("len(providers) - 1")

        await provider.aclose()
        process.evaluate(f"[thread.join(10) for thread in providers[{index}]._pool._threads]")

        assert set(process.evaluate(names)) <= before
        with pytest.raises(ProviderBusy):
            await provider.quote("AAPL")
