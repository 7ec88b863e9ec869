"""The only place that imports the openai package, which costs about half a second and 48 MiB when it is first used."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.llm.http_faults import STATUSES_WITH_CODES, Rejected
from shared.llm.stream_budgets import StreamBudgets
from shared.llm.stream_faults import StreamFault

if TYPE_CHECKING:
    import httpx2
    import openai

ApiKey = str | Callable[[], Awaitable[str]]

_ERROR_BODY_BYTES = 16_384
_ERROR_BODY_S = 1.0


@dataclass(frozen=True, slots=True, repr=False)
class OpenAISdk:
    """A client of the SDK, kept to what it is good at: authentication, base URL and transport.

    Its retries, its redirects and its stream objects are not used: it repeats a request up to three times, and takes
    a stream that was cut off for a finished one.
    """

    client: "openai.AsyncOpenAI"
    stream_type: "type[openai.AsyncStream[object]]"
    transport_errors: tuple[type[Exception], ...]

    async def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> "httpx2.Response":
        """The open response of a request; its body is unread. Raises ``Rejected`` unless it is 2xx."""
        # Compressed events would wait in the decompressor.
        headers = {"Accept-Encoding": "identity"}
        common: Any = {"cast_to": object, "stream": True, "stream_cls": self.stream_type}
        if method == "GET":
            stream = await self.client.get(path, options={"headers": headers}, **common)
        else:
            # Encoded here: half a surrogate pair in a user's text is an exception in the SDK's encoder.
            content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
            headers["Content-Type"] = "application/json"
            stream = await self.client.post(path, content=content, options={"headers": headers}, **common)
        response: httpx2.Response = stream.response
        return response


def load(api_key: ApiKey, base_url: str, budgets: StreamBudgets) -> OpenAISdk:
    """Import the package and build a client. Blocks for up to a second; touches no event loop."""
    import anyio
    import httpx2
    import openai

    # Every wait has a budget of the stream around it; one more timer per read is a tenth of the cost of a chunk.
    timeout = httpx2.Timeout(budgets.first_token_s, connect=budgets.connect_s, read=None)
    client = openai.AsyncOpenAI(
        api_key=_guarded(api_key),
        base_url=base_url,
        max_retries=0,
        timeout=timeout,
        http_client=openai.DefaultAsyncHttpxClient(
            follow_redirects=False, timeout=timeout, event_hooks={"response": [_reject]}
        ),
    )
    # The SDK fills these from the environment, and would tell one company's account to another company.
    client.organization = client.project = client.admin_api_key = None
    transport_errors = (
        openai.OpenAIError,
        httpx2.HTTPError,
        httpx2.StreamError,
        anyio.BrokenResourceError,
        anyio.ClosedResourceError,
        anyio.EndOfStream,
        OSError,
    )
    return OpenAISdk(client, openai.AsyncStream[object], transport_errors)


async def read_bounded(response: "httpx2.Response", limit: int) -> bytes:
    """The body. Raises ``StreamFault`` when it is longer than ``limit``."""
    body = bytearray()
    async with aclosing(chunks_of(response)) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > limit:
                raise StreamFault("too_large")
    return bytes(body)


def chunks_of(response: "httpx2.Response") -> AsyncGenerator[bytes]:
    """The body as it arrives, decompressed only if the server compressed it unasked."""
    chunks: Any = response.aiter_bytes() if "content-encoding" in response.headers else response.aiter_raw()
    return chunks  # type: ignore[no-any-return]


async def _reject(response: "httpx2.Response") -> None:
    """Refuse everything but 2xx before the SDK does: it reads the whole error body and copies it into its exception."""
    import httpx2

    if response.is_success:
        return
    body = b""
    if response.status_code in STATUSES_WITH_CODES:
        # A body that is long, slow or broken costs its code; the status still counts.
        with suppress(StreamFault, TimeoutError, httpx2.HTTPError):
            async with asyncio.timeout(_ERROR_BODY_S):
                body = await read_bounded(response, _ERROR_BODY_BYTES)
    raise Rejected(response.status_code, dict(response.headers), body)


def is_usable(api_key: str) -> bool:
    """Whether a key can be sent as a header at all. One that cannot ends up in the text of a library's exception."""
    return bool(api_key) and api_key.isascii() and api_key.isprintable()


def _guarded(api_key: ApiKey) -> ApiKey:
    if isinstance(api_key, str):
        return api_key

    async def ask() -> str:
        try:
            key = await api_key()
        except Exception:  # noqa: BLE001 - whatever a credential library raises, there is no key
            key = ""
        if not is_usable(key):
            raise StreamFault("auth")
        return key

    return ask
