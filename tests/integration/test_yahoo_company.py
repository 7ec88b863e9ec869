"""Key figures and headlines through the real yfinance, against the double."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.market.provider import NotOffered, ProviderDown, ProviderMalformed, ProviderRateLimited, UnknownSymbol
from shared.market.providers.yahoo_company import fundamentals_of, news_of
from shared.market.types import Fundamentals, NewsItem
from tests.doubles.yahoo import YahooDouble
from tests.doubles.yahoo_answers import NO_FUNDAMENTALS, story
from tests.doubles.yahoo_process import YahooProcess

NOW = datetime(2026, 6, 12, 19, 0, tzinfo=UTC)
SUMMARY = "query2.finance.yahoo.com/v10/finance/quoteSummary/"
NEWS = "finance.yahoo.com/xhr/ncp"
JSON = "application/json"
ALWAYS = 99
HIDDEN = "".join(chr(0xE0000 + ord(letter)) for letter in "sell")


@pytest.fixture(scope="module")
def double():
    with YahooDouble(now=NOW) as double:
        yield double


@pytest.fixture(scope="module")
def process(double):
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


def _bend(double, symbol, **modules):
    listing = double.listings[symbol]
    double.listings[symbol] = replace(listing, company={**listing.company, **modules})


class TestRequests:
    async def test_costs_in_a_cold_process(self, double):
        """Cookie and crumb once per process, then one request per call; the library's own ``info`` would make three."""
        with YahooProcess(double) as cold:
            provider = cold.provider()
            await provider.fundamentals("AAPL")
            assert double.paths() == ["fc.yahoo.com/", "query1.finance.yahoo.com/v1/test/getcrumb", f"{SUMMARY}AAPL"]

            double.reset()
            await provider.fundamentals("AAPL")
            await provider.news("AAPL", 5)
            assert double.paths() == [f"{SUMMARY}AAPL", NEWS]

            double.reset()
            cold.evaluate("sys.modules['yfinance'].Ticker('AAPL').info['marketCap']")
            assert len(double.requests) == 3

    async def test_unknown_symbol_costs_two_requests_and_a_crumb(self, double, provider):
        """The library repeats what was answered with an error once."""
        await provider.fundamentals("AAPL")
        double.reset()

        with pytest.raises(UnknownSymbol):
            await provider.fundamentals("NOPE9")
        assert double.paths().count(f"{SUMMARY}NOPE9") == 2

    async def test_isin_is_refused_without_a_request(self, double, provider):
        """The library would translate the number into some symbol that nobody asked for."""
        for call in (provider.fundamentals("US0378331005"), provider.news("US0378331005", 5)):
            with pytest.raises(UnknownSymbol):
                await call
        assert double.requests == []


class TestFundamentals:
    async def test_figures_and_their_units(self, provider):
        """Rates are in percent, amounts in the currency, all as of the market price they are made with."""
        assert await provider.fundamentals("AAPL") == Fundamentals(
            symbol="AAPL",
            name="Apple Inc.",
            currency="USD",
            as_of=NOW,
            source="yahoo",
            market_cap=430.47e9,
            price_to_earnings=21.5,
            forward_price_to_earnings=19.25,
            price_to_book=6.5,
            earnings_per_share=pytest.approx(20.0219, abs=1e-4),
            dividend_yield=0.61,
            profit_margin=23.45,
            revenue=146.41e9,
            beta=1.1,
            sector="Technology",
            industry="Invented",
            fiscal_quarter_end=date(2026, 3, 31),
        )

    async def test_library_states_yield_in_percent_and_margin_as_fraction(self, process, double):
        """Why the modules are read directly: in the library's ``info`` two rates of one company differ in unit."""
        process.provider()
        library = "__import__('shared.market.providers.yahoo_library', fromlist=['load'])"
        info = f"{library}.load(providers[0]._proxy_url).Ticker('AAPL').info"

        assert process.evaluate(f"(lambda i: (i['dividendYield'], i['profitMargins']))({info})") == (0.61, 0.2345)

    async def test_accounts_in_another_currency_are_left_out(self, provider):
        """Vodafone reports in euros and is quoted in pence: only what does not mix the two is stated."""
        found = await provider.fundamentals("VOD.L")

        assert found.currency == "GBP"
        assert (found.revenue, found.earnings_per_share) == (None, None)
        assert (found.price_to_earnings, found.forward_price_to_earnings, found.price_to_book) == (None, None, None)
        assert (found.market_cap, found.dividend_yield, found.profit_margin) == (73.42e9, 0.61, 23.45)

    async def test_ratios_of_pence_and_pounds_are_left_out(self, double, provider):
        """With accounts in pounds the amounts are usable and the ratios, a hundredfold wrong at worst, are not."""
        _bend(double, "VOD.L", financialData={"financialCurrency": "GBP"})

        found = await provider.fundamentals("VOD.L")

        assert (found.revenue, found.earnings_per_share) == (146.41e9, pytest.approx(3.4149, abs=1e-4))
        assert (found.price_to_earnings, found.forward_price_to_earnings, found.price_to_book) == (None, None, None)

    async def test_figures_that_are_missing_or_no_numbers_are_none(self, double, provider):
        """Absent, empty, wrapped, textual and infinite figures: only what is a finite number is stated."""
        _bend(double, "AAPL", summaryDetail={"trailingPE": "Infinity", "forwardPE": {}, "dividendYield": None})
        _bend(double, "AAPL", defaultKeyStatistics={"priceToBook": {"raw": 6.25, "fmt": "6.25"}, "trailingEps": 1e400})

        found = await provider.fundamentals("AAPL")

        assert (found.price_to_book, found.earnings_per_share) == (6.25, None)

    @pytest.mark.parametrize("symbol", ["^GSPC", "EURUSD=X"])
    async def test_instrument_without_figures_is_not_offered(self, double, provider, symbol):
        """An index has prices and no company behind it; that is no failure, and nothing about the symbol."""
        with pytest.raises(NotOffered):
            await provider.fundamentals(symbol)
        assert len(double.requests) <= 3

    async def test_missing_company_data_are_told_from_a_missing_symbol(self, double, provider):
        """Yahoo's 404 for an instrument without company data does not deny the instrument."""
        double.faults[SUMMARY] = {"status": 404, "body": json.dumps(NO_FUNDAMENTALS), "ctype": JSON, "times": ALWAYS}

        with pytest.raises(NotOffered):
            await provider.fundamentals("AAPL")

    async def test_words_from_outside_are_cleaned(self, double, provider):
        """Names, sectors and industries arrive without markup and hidden characters, everywhere they are shown."""
        evil = f"Apple{HIDDEN} [Inc.](https://evil.example/?q=1) <img src=x>"
        double.listings["AAPL"] = replace(
            double.listings["AAPL"], name=evil, company={"assetProfile": {"sector": evil, "industry": HIDDEN}}
        )

        found = await provider.fundamentals("AAPL")
        quote = await provider.quote("AAPL")
        history = await provider.history("AAPL", "5d", "1d")
        searched = await provider.search("apple", 5)

        assert [found.name, found.sector, quote.name, history.name, searched[0].name] == ["Apple Inc."] * 5
        assert found.industry is None


class TestNews:
    async def test_headlines(self, provider):
        """A headline has title, summary, publisher, address and moment; advertisements are left out."""
        items = await provider.news("AAPL", 2)

        assert items[0] == NewsItem(
            title="Apple Inc. in the news",
            publisher="Test Wire",
            url="https://finance.yahoo.com/news/aapl-0",
            published_at=NOW,
            summary="An invented story.",
            source="yahoo",
        )
        assert [item.published_at for item in items] == [NOW, NOW - timedelta(hours=1)]

    async def test_limit_is_sent(self, double, provider):
        """Yahoo is asked for as many as are wanted, so the answer is not cut out of a longer one."""
        assert len(await provider.news("AAPL", 1)) == 1
        assert len(await provider.news("AAPL", 3)) == 3

    async def test_no_news_is_an_empty_result(self, double, provider):
        """An empty list is an answer."""
        double.listings["MSFT"] = replace(double.listings["MSFT"], stories=[])

        assert await provider.news("MSFT", 5) == ()

    async def test_hostile_headline_is_only_text(self, double, provider):
        """Markup, hidden characters and addresses that are no websites do not get through."""
        listing = double.listings["AAPL"]
        evil = f"<b>Buy</b>{HIDDEN} &lt;script&gt;x&lt;/script&gt;![now](https://evil.example/?q=1)"
        changes = {
            "title": evil,
            "summary": evil,
            "provider": {"displayName": evil},
            "canonicalUrl": {"url": "javascript:alert(1)"},
        }
        double.listings["AAPL"] = replace(listing, stories=[story(listing, 0, NOW, **changes)])

        (item,) = await provider.news("AAPL", 5)

        assert (item.title, item.summary, item.publisher, item.url) == ("Buy now", "Buy now", "Buy now", "")

    @pytest.mark.parametrize(
        "changes",
        [
            {"title": HIDDEN},
            {"title": None},
            {"pubDate": None},
            {"pubDate": "yesterday"},
            {"pubDate": 5},
        ],
    )
    async def test_incomplete_headline_is_left_out(self, double, provider, changes):
        """Without a readable title or a moment it is no headline; the rest are kept."""
        listing = double.listings["AAPL"]
        stories = [story(listing, 0, NOW, **changes), story(listing, 1, NOW), {"id": "2"}, {"content": None}]
        double.listings["AAPL"] = replace(listing, stories=stories)

        assert [item.url[-1] for item in await provider.news("AAPL", 5)] == ["1"]


FAULTS = [
    pytest.param({"status": 429}, ProviderRateLimited, id="429"),
    pytest.param({"status": 503, "body": "<html>secret</html>"}, ProviderDown, id="503 page"),
    pytest.param({"status": 500, "body": '{"secret":1}', "ctype": JSON}, ProviderDown, id="500 in JSON"),
    pytest.param({"drop": True}, ProviderDown, id="dropped"),
    pytest.param({"body": "<html>secret</html>"}, ProviderDown, id="page"),
    pytest.param({"body": '{"secret":1}', "ctype": JSON}, ProviderMalformed, id="other object"),
    pytest.param({"body": '["secret"]', "ctype": JSON}, ProviderMalformed, id="list"),
    pytest.param({"body": "null", "ctype": JSON}, ProviderMalformed, id="null"),
]


class TestFailures:
    @pytest.mark.parametrize(("fault", "expected"), FAULTS)
    @pytest.mark.parametrize(("target", "call"), [(SUMMARY, ("fundamentals", "AAPL")), (NEWS, ("news", "AAPL", 5))])
    async def test_faults_become_the_callers_reactions(self, double, provider, target, call, fault, expected):
        """An error is never an empty result, and none of what Yahoo wrote is in it."""
        method, *arguments = call
        double.faults[target] = {**fault, "times": ALWAYS}

        with pytest.raises(expected) as raised:
            await getattr(provider, method)(*arguments)

        assert type(raised.value) is expected
        shown = str(raised.value) + "".join(raised.value.__notes__)
        assert not [word for word in ("secret", "http", "finance.yahoo", "AAPL", "curl") if word in shown]

    async def test_missing_news_page_denies_no_symbol(self, double, provider):
        """A 404 for the news is about the page, which is the same for every symbol."""
        double.faults[NEWS] = {"status": 404, "body": "{}", "ctype": JSON, "times": ALWAYS}

        with pytest.raises(ProviderDown):
            await provider.news("AAPL", 5)

    async def test_hanging_call_is_given_up(self, double, process):
        """The deadline of the other calls holds for these as well."""
        provider = process.provider(timeout_s=0.2, first_call_timeout_s=0.2)
        double.faults[SUMMARY] = double.faults[NEWS] = {"delay": 30.0, "times": ALWAYS}

        for call in (provider.fundamentals("AAPL"), provider.news("AAPL", 5)):
            with pytest.raises(ProviderDown, match=r"no answer within 0\.2 s"):
                await call
        double.reset()
        await provider.aclose()


def _summary(**modules):
    basis = {"price": {"currency": "USD", "marketCap": 5, "regularMarketTime": int(NOW.timestamp())}}
    return {"quoteSummary": {"result": [{**basis, **modules}], "error": None}}


def test_figures_of_an_old_price_are_stale():
    """A market value at a price of last week is not a current one."""
    answer = _summary()

    assert not fundamentals_of("EX", answer, NOW + timedelta(days=4)).stale
    assert fundamentals_of("EX", answer, NOW + timedelta(days=5)).stale


def test_figures_without_a_time_are_as_of_now():
    """Yahoo states them now; a stamp that no calendar holds is none."""
    for stamp in (None, 1e300, "x"):
        answer = _summary(price={"currency": "USD", "marketCap": 5, "regularMarketTime": stamp})
        assert fundamentals_of("EX", answer, NOW).as_of == NOW


@pytest.mark.parametrize("answer", [None, [], {}, {"quoteSummary": {"result": []}}, _summary(price={"marketCap": 5})])
def test_company_data_without_result_or_currency_are_malformed(answer):
    """No amounts without a currency, and no figures without a result."""
    with pytest.raises(ProviderMalformed):
        fundamentals_of("EX", answer, NOW)


@pytest.mark.parametrize("stream", [None, {}, "", 5])
def test_news_without_a_list_are_malformed(stream):
    """Only a list, even an empty one, is an answer to the question for news."""
    with pytest.raises(ProviderMalformed):
        news_of({"data": {"tickerStream": {"stream": stream}}}, 5)


def test_naive_moments_of_headlines_are_utc():
    """A moment without a zone is read as UTC, one with a zone is converted."""
    entries = [
        {"content": {"title": "a", "pubDate": "2026-06-12T10:00:00"}},
        {"content": {"title": "b", "pubDate": "2026-06-12T10:00:00+02:00"}},
    ]

    items = news_of({"data": {"tickerStream": {"stream": entries}}}, 5)

    assert [(item.title, item.published_at.hour) for item in items] == [("a", 10), ("b", 8)]
