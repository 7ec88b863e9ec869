"""OpenAI, Azure OpenAI, xAI, Ollama and whatever else speaks one of OpenAI's two wires, as one model client."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from shared.llm import openai_sdk
from shared.llm.base import BaseModelClient
from shared.llm.chat_wire import ChatWire
from shared.llm.errors import ErrorKind, ModelError
from shared.llm.http_faults import Rejected, classify
from shared.llm.openai_sdk import ApiKey, OpenAISdk
from shared.llm.responses_wire import ResponsesWire
from shared.llm.sse_reader import SseReader
from shared.llm.stream_budgets import StreamBudgets, StreamWatch
from shared.llm.stream_faults import StreamFault
from shared.llm.types import ModelEvent, ModelInfo, ModelRequest, TextDelta
from shared.llm.wire import Wire, WireReader, mapping, text
from shared.resilience.deadline import Deadline

if TYPE_CHECKING:
    import httpx2

_RESPONSES, _CHAT = ResponsesWire(), ChatWire()
_WIRES: dict[str, tuple[Wire, ...]] = {
    "responses": (_RESPONSES,),
    "chat": (_CHAT,),
    "auto": (_RESPONSES, _CHAT),
}
_OPENAI = "https://api.openai.com/v1"
_CLOSE_S = 0.5
# The answer is whole. What may still come is a count of tokens, and the end of the body, which frees the connection.
_USAGE_S = 1.0
_DRAIN_S = 0.25


class OpenAIModelClient(BaseModelClient):
    """A provider that speaks the Responses or the Chat Completions wire; ``auto`` takes Chat Completions where the
    server turns out not to have Responses, and stays with what has worked.

    Bound to the event loop it is first used on. ``api_key`` may be an async callable, asked for each request. The
    ``openai`` package is imported at the first use, or earlier by ``warm``.
    """

    def __init__(
        self,
        *,
        name: str = "openai",
        api_key: ApiKey,
        base_url: str | None = None,
        wire: Literal["responses", "chat", "auto"] = "responses",
        budgets: StreamBudgets | None = None,
    ) -> None:
        super().__init__(name)
        if isinstance(api_key, str) and not openai_sdk.is_usable(api_key):
            raise ValueError(f"The api_key of {name!r} is empty or not printable ASCII. Ollama takes any word.")
        self._api_key = api_key
        self._base_url = base_url or _OPENAI
        self._wires = _WIRES[wire]
        self._budgets = budgets or StreamBudgets()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading = asyncio.Lock()
        self._sdk: OpenAISdk | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, host={urlsplit(self._base_url).hostname!r})"

    async def warm(self) -> None:
        """Pay for the import and the TLS set-up now, off the loop."""
        await self._ready()

    async def stream(self, request: ModelRequest, deadline: Deadline) -> AsyncGenerator[ModelEvent]:
        failure: ModelError | None = None
        for wire in self._wires:
            started = False
            try:
                async with aclosing(self._events(request, deadline, wire)) as events:
                    async for event in events:
                        self._wires = (wire,)
                        started = started or isinstance(event, TextDelta)
                        yield event
            except StreamFault as fault:
                failure = self._error(fault, started=started)
            else:
                return
            # A server answers 404 to a path it does not have as it does to a model it does not have.
            if failure.kind != "model_not_found":
                break
        if failure is None:
            raise AssertionError("there is always a wire to try")
        # Raised out here so that no upstream exception hangs on it as its context.
        raise failure

    async def list_models(self, deadline: Deadline) -> tuple[ModelInfo, ...]:
        try:
            return await self._models(deadline)
        except StreamFault as fault:
            failure = self._error(fault)
        raise failure

    async def aclose(self) -> None:
        self._closed = True
        sdk, self._sdk = self._sdk, None
        if sdk is not None and self._loop is asyncio.get_running_loop():
            await sdk.client.close()

    def _error(self, fault: StreamFault, *, started: bool = False) -> ModelError:
        return ModelError(self.name, fault.kind, retry_after=fault.retry_after, started=started)

    async def _ready(self) -> OpenAISdk:
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._closed or self._loop is not loop:
            raise RuntimeError(f"{self!r} is closed or belongs to another event loop; create a new one.")
        if self._sdk is None:
            async with self._loading:
                if self._sdk is None:
                    self._sdk = await asyncio.to_thread(openai_sdk.load, self._api_key, self._base_url, self._budgets)
        return self._sdk

    async def _events(self, request: ModelRequest, deadline: Deadline, wire: Wire) -> AsyncGenerator[ModelEvent]:
        async with _limit(deadline.remaining(), "deadline"):
            sdk = await self._ready()
        watch = StreamWatch(deadline, self._budgets)
        reader = wire.reader()
        body = wire.body(request)
        async with _opened(sdk, watch, "POST", wire.path, body) as response:
            _expect(response, "text/event-stream")
            async with aclosing(self._texts(sdk, response, reader, watch)) as texts:
                async for added in texts:
                    yield TextDelta(added)
                calls, finished = reader.conclude()
                for call in calls:
                    yield call
                yield finished

    async def _texts(
        self, sdk: OpenAISdk, response: "httpx2.Response", reader: WireReader, watch: StreamWatch
    ) -> AsyncGenerator[str]:
        """The text of a response as it comes, until the reader has all it needs or the body ends."""
        sse = SseReader()
        async with aclosing(openai_sdk.chunks_of(response)) as chunks:
            received = 0
            while not reader.ended:
                chunk = await self._next_chunk(sdk, chunks, reader, watch)
                received += len(chunk or b"")
                if received > self._budgets.max_bytes:
                    raise StreamFault("too_large")
                for payload in sse.finish() if chunk is None else sse.feed(chunk):
                    if added := _read(reader, payload, last=chunk is None):
                        yield added
                    if reader.ended:
                        break
                if chunk is None:
                    return
                watch.started = reader.started
            with suppress(StreamFault, *sdk.transport_errors):
                await _drain(chunks, watch.deadline)

    async def _next_chunk(
        self, sdk: OpenAISdk, chunks: AsyncGenerator[bytes], reader: WireReader, watch: StreamWatch
    ) -> bytes | None:
        """The next bytes, None at the end of the body, and also at a failure that can no longer harm the answer."""
        seconds, kind = watch.next_wait()
        if reader.complete:
            seconds = min(seconds, _USAGE_S)
        if seconds <= 0:
            # A timeout of zero would let through what has arrived already, again and again.
            raise StreamFault(kind)
        try:
            # Not _limit, which would cost as much as the parsing of an event.
            async with asyncio.timeout(seconds):
                return await anext(chunks, None)
        except TimeoutError:
            failure = StreamFault(kind)
        except sdk.transport_errors:
            failure = StreamFault("upstream_lost")
        if reader.complete:
            return None
        raise failure

    async def _models(self, deadline: Deadline) -> tuple[ModelInfo, ...]:
        async with _limit(deadline.remaining(), "deadline"):
            sdk = await self._ready()
        watch = StreamWatch(deadline, self._budgets)
        async with _opened(sdk, watch, "GET", "/models") as response:
            _expect(response, "application/json")
            try:
                async with _limit(*watch.next_wait()):
                    body = await openai_sdk.read_bounded(response, self._budgets.max_bytes)
            except sdk.transport_errors:
                raise StreamFault("upstream_lost") from None
        return _model_infos(body)


@asynccontextmanager
async def _limit(seconds: float, kind: ErrorKind) -> AsyncGenerator[None]:
    """Turns a body that takes longer than ``seconds`` into a fault of this kind."""
    if seconds <= 0:
        raise StreamFault(kind)
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StreamFault(kind) from None


@asynccontextmanager
async def _opened(
    sdk: OpenAISdk, watch: StreamWatch, method: str, path: str, body: dict[str, Any] | None = None
) -> AsyncGenerator["httpx2.Response"]:
    """An accepted response, closed at the end whatever happens, and quickly."""
    try:
        async with _limit(*watch.next_wait()):
            response = await sdk.send(method, path, body)
    except Rejected as rejected:
        raise classify(rejected, watch.deadline.clock.now) from None
    except sdk.transport_errors:
        raise StreamFault("upstream_lost") from None
    try:
        yield response
    finally:
        with suppress(TimeoutError, *sdk.transport_errors):
            async with asyncio.timeout(_CLOSE_S):
                await response.aclose()


def _expect(response: "httpx2.Response", content_type: str) -> None:
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() != content_type:
        raise StreamFault("bad_content_type")


def _read(reader: WireReader, payload: bytes, *, last: bool) -> str:
    """One payload; half an event at the very end means that the rest was cut off, not that it was malformed."""
    try:
        return reader.read(payload)
    except StreamFault as fault:
        if last and fault.kind == "upstream_malformed":
            raise StreamFault("truncated") from None
        raise


async def _drain(chunks: AsyncGenerator[bytes], deadline: Deadline) -> None:
    """Read the end of a body that has nothing more to say, so that its connection can be used again."""
    async with _limit(min(_DRAIN_S, deadline.remaining()), "deadline"):
        async for _ in chunks:
            pass


def _model_infos(body: bytes) -> tuple[ModelInfo, ...]:
    try:
        # Ollama without models says null.
        entries = json.loads(body)["data"] or ()
        return tuple(_model_info(entry) for entry in map(mapping, entries) if text(entry.get("id")))
    except (ValueError, RecursionError, KeyError, TypeError):
        raise StreamFault("upstream_malformed") from None


def _model_info(entry: dict[str, Any]) -> ModelInfo:
    created = entry.get("created")
    return ModelInfo(entry["id"], created if isinstance(created, int) else 0, text(entry.get("owned_by")))
