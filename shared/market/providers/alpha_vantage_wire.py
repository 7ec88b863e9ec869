"""One HTTP client for Alpha Vantage that keeps the key out of everything that can be printed.

The key belongs into the query string, and HTTP libraries put whole addresses into log lines and exceptions. Here it is
added below the library's own logging, by the transport, to a copy of the request that nobody else sees.
"""

import asyncio
import json
import logging
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

from shared.clock import Clock
from shared.market.provider import MarketDataError, ProviderDown, ProviderMalformed, ProviderRateLimited
from shared.market.providers.alpha_vantage_symbols import SOURCE

if TYPE_CHECKING:
    import httpx2

_HTTP_LOGGER = logging.getLogger("httpcore2.http11")
_LARGEST_BODY: Final = 4 * 1024 * 1024


class Pace:
    """Lets requests start ``interval_s`` apart, as a free key has to; a burst of ours would be refused in part."""

    def __init__(self, interval_s: float, clock: Clock) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._next = float("-inf")

    def reserve(self, patience_s: float) -> float:
        """Seconds until one's turn. Raises ProviderRateLimited, and takes none, when ``patience_s`` is less."""
        now = self._clock.monotonic()
        wait = max(0.0, self._next - now)
        if wait > patience_s:
            raise ProviderRateLimited(SOURCE, "too many requests are waiting", retry_after=wait)
        self._next = now + wait + self._interval_s
        return wait


class AlphaVantageWire:
    """The client is created on first use, in a thread because that takes a tenth of a second, and then kept."""

    def __init__(self, *, api_key: str, base_url: str, timeout_s: float, min_interval_s: float, clock: Clock) -> None:
        self._api_key = SecretStr(api_key)
        self._url = f"{base_url.rstrip('/')}/query"
        self._timeout_s = timeout_s
        self._pace = Pace(min_interval_s, clock)
        self._client: httpx2.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._hiding = _Hiding(self._api_key)
        self._closed = False

    def redact(self, text: str) -> str:
        return text.replace(self._api_key.get_secret_value().lower(), "***")

    async def get(self, function: str, **parameters: str) -> Any:
        """The decoded body of a 200; raises ProviderDown, ProviderRateLimited or ProviderMalformed for the rest."""
        client = await self._ready()
        await asyncio.sleep(self._pace.reserve(self._timeout_s))
        status, body = await self._fetch(client, {"function": function, **parameters})
        if failure := _failure(status):
            raise failure
        return _decoded(body)

    async def aclose(self) -> None:
        self._closed = True
        async with self._opening:
            client, self._client = self._client, None
        if client is not None:
            await client.aclose()
            _HTTP_LOGGER.removeFilter(self._hiding)

    async def _ready(self) -> "httpx2.AsyncClient":
        async with self._opening:
            if self._closed:
                raise ProviderDown(SOURCE, "the client is closed")
            if self._client is None:
                self._client = await asyncio.to_thread(_open, self._api_key, self._timeout_s)
                _HTTP_LOGGER.addFilter(self._hiding)
            return self._client

    async def _fetch(self, client: "httpx2.AsyncClient", parameters: dict[str, str]) -> tuple[int, bytes]:
        try:
            async with client.stream("GET", self._url, params=parameters) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _LARGEST_BODY:
                        break
                return response.status_code, bytes(body)
        except Exception:  # noqa: BLE001 - the library's errors and those of the two libraries below it
            failure = ProviderDown(SOURCE, "connection failed or timed out")
        # Raised outside the handler, so that no context leads from our error to the library's message.
        raise failure


class _Hiding(logging.Filter):
    """Takes the key out of the response headers that the HTTP library logs at DEBUG: a redirect repeats the address."""

    def __init__(self, api_key: SecretStr) -> None:
        super().__init__()
        key = api_key.get_secret_value()
        self._forms = (key, quote(key, safe=""), quote_plus(key))

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        for form in self._forms:
            text = text.replace(form, "***")
        record.msg, record.args = text, ()
        return True


def _open(api_key: SecretStr, timeout_s: float) -> "httpx2.AsyncClient":
    import httpx2

    class KeyedTransport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            keyed = httpx2.Request(
                request.method,
                request.url.copy_merge_params({"apikey": api_key.get_secret_value()}),
                headers=request.headers,
                extensions=request.extensions,
            )
            return await super().handle_async_request(keyed)

    return httpx2.AsyncClient(
        transport=KeyedTransport(verify=_authorities()),
        timeout=httpx2.Timeout(timeout_s),
        # A redirect would be followed with the key, and a proxy of the environment would see it.
        follow_redirects=False,
        trust_env=False,
        # A small compressed answer could hold a huge one.
        headers={"Accept-Encoding": "identity"},
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Read once, which takes 20 to 60 ms; those that the environment names are trusted."""
    import httpx2

    return httpx2.create_ssl_context()


def _failure(status: int) -> MarketDataError | None:
    if status == 200:
        return None
    if status == 429:
        return ProviderRateLimited(SOURCE, "too many requests")
    return ProviderDown(SOURCE, f"HTTP status {status}")


def _decoded(body: bytes) -> Any:
    if len(body) > _LARGEST_BODY:
        raise ProviderMalformed(SOURCE, "the answer is too long")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    raise ProviderMalformed(SOURCE, "the answer is no JSON")
