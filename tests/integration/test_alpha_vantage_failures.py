"""How Alpha Vantage's refusals and failures reach the caller, and that the key reaches nobody."""

import asyncio
import logging
import traceback
from datetime import UTC, datetime

import pytest

from shared.clock import Clock
from shared.market.provider import (
    MarketDataError,
    ProviderDown,
    ProviderMalformed,
    ProviderMisconfigured,
    ProviderRateLimited,
    UnknownSymbol,
)
from shared.market.providers.alpha_vantage import AlphaVantageProvider
from shared.market.providers.alpha_vantage_notices import notice_in, refusal
from tests.canaries import CANARIES
from tests.doubles.alpha_vantage import NOTICES, AlphaVantageDouble

NOW = datetime(2026, 6, 12, 21, 0, tzinfo=UTC)
KEY = CANARIES["ALPHA_VANTAGE_API_KEY"]
ALWAYS = 99
CALLS = {
    "quote": ("AAPL",),
    "history": ("AAPL", "1mo", "1d"),
    "search": ("apple", 5),
    "fundamentals": ("AAPL",),
    "news": ("AAPL", 5),
}
UNTIL_MIDNIGHT = 3 * 3600.0


@pytest.fixture(scope="module")
def double():
    with AlphaVantageDouble(now=NOW, key=KEY) as double:
        yield double


@pytest.fixture(autouse=True)
def clean(double):
    double.reset()


@pytest.fixture
async def provider(double):
    provider = _provider(double)
    yield provider
    await provider.aclose()


def _provider(double, **options):
    defaults = {"api_key": KEY, "base_url": double.base_url, "min_interval_s": 0, "clock": Clock(now=lambda: NOW)}
    return AlphaVantageProvider(**(defaults | options))


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("notice", "expected", "retry_after"),
    [
        ("daily_limit", ProviderRateLimited, UNTIL_MIDNIGHT),
        ("burst_limit", ProviderRateLimited, 1.1),
        ("minute_limit", ProviderRateLimited, 60.0),
        ("premium", ProviderMisconfigured, None),
        ("bad_key", ProviderMisconfigured, None),
        ("bad_call", UnknownSymbol, None),
        ("unknown_notice", ProviderMalformed, None),
    ],
)
async def test_notices_become_the_callers_reactions(double, provider, operation, notice, expected, retry_after):
    """Each sentence raises the one error that says what to do about it, after a single request."""
    double.faults["*"] = {"notice": notice, "times": ALWAYS}

    with pytest.raises(expected) as raised:
        await getattr(provider, operation)(*CALLS[operation])

    assert type(raised.value) is expected
    assert raised.value.provider == "alpha_vantage"
    assert getattr(raised.value, "retry_after", None) == retry_after
    assert len(double.calls) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        *[
            ({key: text.format(key="K", function="F")}, name)
            for name, body in NOTICES.items()
            for key, text in body.items()
        ],
        ([], "malformed"),
        (None, "malformed"),
        ("Global Quote", "malformed"),
        ({}, None),
        ({"Global Quote": {}}, None),
        ({"Meta Data": {"1. Information": "Daily Prices"}}, None),
        ({"Note": None}, "unknown_notice"),
        ({"Information": {"text": "premium"}}, "premium"),
        ({"Note": "spread out", "Information": "25 requests per day"}, "daily_limit"),
        ({"Information": "THE PARAMETER APIKEY IS MISSING"}, "bad_key"),
    ],
)
def test_order_of_the_tests(body, expected):
    """The texts overlap: each of them still has one class, by the first test that holds."""
    found = notice_in("NEWS_SENTIMENT", body)

    assert (found and found[0]) == {"minute_limit": "burst_limit"}.get(expected, expected)


@pytest.mark.parametrize(
    ("words", "pause"),
    [("5 calls per minute", 60.0), ("1 request per second, 5 calls per minute", 1.1), ("a burst", 1.1)],
)
def test_pause_after_a_burst_is_that_of_the_limit(words, pause):
    """A limit per minute is not over after a second; where both are named, the shorter one was hit."""
    assert refusal("burst_limit", words, NOW).retry_after == pause


@pytest.mark.parametrize("key", ["", " "])
def test_empty_key_is_refused_at_once(key):
    """It would cost a request to learn it from the server."""
    with pytest.raises(ValueError, match="api_key is empty"):
        AlphaVantageProvider(api_key=key)


async def test_limits_of_the_double_are_met_as_they_come(double, provider):
    """The key's own limits, not forced ones: the second request of a second and the one after the last of a day."""
    double.min_interval_s, double.monotonic = 1.0, lambda: 5.0
    await provider.quote("AAPL")
    with pytest.raises(ProviderRateLimited) as burst:
        await provider.quote("AAPL")

    double.min_interval_s, double.per_day = 0.0, 2
    with pytest.raises(ProviderRateLimited) as daily:
        await provider.quote("AAPL")
    assert (burst.value.retry_after, daily.value.retry_after) == (1.1, UNTIL_MIDNIGHT)


async def test_refused_key_is_a_matter_of_configuration(double):
    """A wrong key is neither an outage nor an unknown symbol."""
    provider = _provider(double, api_key="wrong")
    with pytest.raises(ProviderMisconfigured, match="the key is refused"):
        await provider.quote("AAPL")
    await provider.aclose()


FAULTS = [
    pytest.param({"body": "<html>Just a moment...</html>"}, ProviderMalformed, "no JSON", id="page"),
    pytest.param({"body": ""}, ProviderMalformed, "no JSON", id="empty"),
    pytest.param({"body": '{"Global Quote": {"01. sym'}, ProviderMalformed, "no JSON", id="cut JSON"),
    pytest.param({"body": "[" * 100_000}, ProviderMalformed, "no JSON", id="deep"),
    pytest.param({"body": '{"a": ' + "9" * 5000 + "}"}, ProviderMalformed, "no JSON", id="5000 digits"),
    pytest.param({"body": " " * (4 * 1024 * 1024 + 1)}, ProviderMalformed, "too long", id="too long"),
    pytest.param({"body": "[]"}, ProviderMalformed, "no JSON object", id="list"),
    pytest.param({"body": "null"}, ProviderMalformed, "no JSON object", id="null"),
    pytest.param({"body": '{"surprise": 1}'}, ProviderMalformed, "unexpected shape", id="other object"),
    pytest.param({"status": 500, "body": "secret"}, ProviderDown, "HTTP status 500", id="500"),
    pytest.param({"status": 403, "body": "secret"}, ProviderDown, "HTTP status 403", id="403"),
    pytest.param({"status": 429, "body": "secret"}, ProviderRateLimited, "too many requests", id="429"),
    pytest.param({"drop": True}, ProviderDown, "connection failed", id="dropped"),
]


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(("fault", "expected", "detail"), FAULTS)
async def test_failures_of_the_wire(double, provider, operation, fault, expected, detail):
    """Whatever comes instead of an answer is one of our errors, without a second attempt."""
    double.faults["*"] = {**fault, "times": ALWAYS}

    with pytest.raises(expected, match=detail) as raised:
        await getattr(provider, operation)(*CALLS[operation])

    assert type(raised.value) is expected
    assert len(double.calls) == 1


async def test_endless_answer_is_cut_off(double, provider):
    """Reading stops at the limit and does not wait for an end or for the deadline."""
    double.faults["*"] = {"endless": True}

    with pytest.raises(ProviderMalformed, match="too long"):
        await provider.quote("AAPL")


async def test_redirect_is_not_followed(double, provider):
    """The key goes to one address only."""
    location = {"Location": f"{double.base_url}/elsewhere"}
    double.faults["*"] = {"status": 302, "headers": location, "times": ALWAYS}

    with pytest.raises(ProviderDown, match="HTTP status 302"):
        await provider.quote("AAPL")
    assert [call.path for call in double.calls] == ["/query"]


async def test_silence_ends_at_the_deadline(double, provider):
    """A server that accepts and says nothing costs the deadline, and the next call works."""
    await provider.quote("AAPL")
    provider._timeout_s = 0.2  # from here on; opening a client may take longer on a busy machine
    double.faults["*"] = {"hang": True}

    with pytest.raises(ProviderDown, match=r"no answer within 0\.2 s"):
        await provider.quote("AAPL")
    assert len(double.calls) == 2

    provider._timeout_s = 3.0
    assert (await provider.quote("AAPL")).value == 430.47


async def test_nobody_listening_is_an_outage():
    """A refused connection is no answer."""
    provider = AlphaVantageProvider(api_key=KEY, base_url="http://127.0.0.1:9")
    with pytest.raises(ProviderDown, match="connection failed"):
        await provider.quote("AAPL")
    await provider.aclose()


async def test_cancelled_call_leaves_the_provider_usable(double, provider):
    """A caller that gives up gets its cancellation and nothing else."""
    double.faults["*"] = {"hang": True}
    call = asyncio.create_task(provider.quote("AAPL"))
    assert await double.until(lambda: len(double.calls) == 1)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await provider.quote("AAPL")).value == 430.47


async def test_closed_provider_refuses(double):
    """After closing, used or not, calls raise ProviderDown without a request."""
    for used in (True, False):
        provider = _provider(double)
        if used:
            await provider.quote("AAPL")
        await provider.aclose()
        double.reset()

        with pytest.raises(ProviderDown, match="closed"):
            await provider.quote("AAPL")
        assert double.calls == []


async def test_concurrent_first_calls_share_one_client(double, provider):
    """Calls that arrive together before there is a client all succeed."""
    quotes = await asyncio.gather(*(provider.quote(symbol) for symbol in ("AAPL", "IBM", "MSFT", "GOOG")))

    assert [quote.symbol for quote in quotes] == ["AAPL", "IBM", "MSFT", "GOOG"]


SHOWN = [
    *[{"notice": name} for name in NOTICES],
    {"body": f"<html>{KEY}</html>"},
    {"body": f'{{"Global Quote": {{"01. symbol": "{KEY}"}}}}'},
    {"body": f'{{"Information": "{KEY.lower()} {KEY}"}}'},
    {"status": 500, "body": KEY},
    {"status": 302, "headers": {"Location": f"http://127.0.0.1:9/?apikey={KEY}"}},
    {"drop": True},
    {"hang": True},
    {},
]


@pytest.mark.parametrize("fault", SHOWN, ids=str)
async def test_key_is_never_shown(double, caplog, fault):
    """With the HTTP libraries logging all they can, no line, error, traceback or description has the key."""
    for library in ("httpx2", "httpcore2", "httpcore2.http11", "httpcore2.connection", "shared", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=library)
    provider = _provider(double)
    await provider.quote("AAPL")
    if fault:
        double.faults["*"] = {**fault, "times": ALWAYS}
    if fault.get("hang"):
        provider._timeout_s = 0.3
    shown = []
    for operation, arguments in CALLS.items():
        try:
            await getattr(provider, operation)(*arguments)
        except MarketDataError as error:
            shown += [*traceback.format_exception(error), repr(error), repr(vars(error)), _chain(error)]
        if fault.get("hang"):
            break
    shown += [repr(provider), repr(vars(provider)), repr(vars(provider._wire)), repr(vars(provider._wire._client))]
    shown += [record.getMessage() + repr(record.args) for record in caplog.records]
    await provider.aclose()
    assert logging.getLogger("httpcore2.http11").filters == []

    assert "connect_tcp.started" in caplog.text  # the library did log
    assert {call.query["apikey"] for call in double.calls} == {KEY}
    assert KEY.lower() not in "\n".join(shown).lower()
    assert KEY.lower() not in caplog.text.lower()


async def test_library_logs_the_address_without_the_key(double, provider, caplog):
    """The line that would show it is there, and shows the rest of the address."""
    caplog.set_level(logging.INFO, logger="httpx2")
    await provider.quote("AAPL")

    assert "/query?function=GLOBAL_QUOTE&symbol=AAPL " in caplog.text


async def test_unknown_notice_is_quoted_without_the_key(double, provider, caplog):
    """Somebody has to be told what the unknown sentence says."""
    double.faults["*"] = {"notice": "unknown_notice"}
    with pytest.raises(ProviderMalformed):
        await provider.quote("AAPL")

    assert "alpha_vantage says: the servers of *** are on holiday." in caplog.text
    assert "alpha_vantage quote failed: ProviderMalformed (a notice instead of data)" in caplog.text


@pytest.mark.parametrize("key", ["with space&x=1", "ключ", "a/b?c#d%", "line\nbreak"])
async def test_key_of_any_letters_is_sent_as_it_is(double, key):
    """A key cannot add parameters or break the request."""
    double.key, provider = key, _provider(double, api_key=key)
    try:
        assert (await provider.quote("AAPL")).value == 430.47
        assert [*double.calls[0].query] == ["function", "symbol", "apikey"]
    finally:
        double.key = KEY
        await provider.aclose()


def _chain(error):
    """Everything that hangs on an error, printed or not."""
    links, found = [error], ""
    while links:
        link = links.pop()
        found += repr(link) + repr(link.args)
        links += [other for other in (link.__cause__, link.__context__) if other is not None]
    return found
