"""What checking and framing cost per chunk of a model's answer, against handing the same chunks on unchecked.

The model is a list in memory, so that only our own work is counted, in processor time.
"""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from functions.chat_frames import frame
from functions.http.sse import encode
from shared.agent.agent import AgentLimits, AgentQuery, StockAgent
from shared.agent.tools.quote import QuoteTool
from shared.agent.tools.registry import ToolRegistry
from shared.agent.turn import ModelChoice
from shared.cache.backend import CacheBackend
from shared.cache.config import CacheConfig
from shared.clock import SYSTEM_CLOCK
from shared.llm.base import BaseModelClient
from shared.llm.types import Finished, ModelEvent, ModelInfo, ModelRequest, TextDelta, ToolCall, ToolMessage
from shared.market.data_manager import DataManager, Ttls
from shared.market.providers.sample import SampleProvider
from shared.resilience.deadline import Deadline

SENTENCES = 400
CHUNKS = [piece for _ in range(SENTENCES) for piece in ("AAPL last ", "closed at ", "430.47 USD, ", "down 2.48%. ")]
RUNS = 7


class ListModel(BaseModelClient):
    """Asks for one quote, then says the same sentence over and over."""

    def __init__(self) -> None:
        super().__init__("list")

    async def stream(self, request: ModelRequest, deadline: Deadline) -> AsyncGenerator[ModelEvent]:  # noqa: ARG002
        if not any(isinstance(message, ToolMessage) for message in request.messages):
            yield ToolCall("1", "get_quote", '{"symbol": "AAPL"}')
            yield Finished("tool_calls")
            return
        for chunk in CHUNKS:
            yield TextDelta(chunk)
        yield Finished("stop")

    async def list_models(self, deadline: Deadline) -> tuple[ModelInfo, ...]:  # noqa: ARG002
        return ()

    async def aclose(self) -> None:
        pass


async def unchecked() -> int:
    size = 0
    for chunk in CHUNKS:
        size += len(b"data: " + json.dumps({"chunk": chunk}).encode() + b"\n\n")
    return size


async def checked() -> int:
    market = DataManager(
        [SampleProvider()],
        cache=CacheBackend.from_config(CacheConfig(max_entries=100, failure_hold_s=0)),
        ttls=Ttls(60, 60, 60, 60, 60, 60),
    )
    agent = StockAgent(ToolRegistry([QuoteTool(market)], timeout_s=5), AgentLimits(4, 8, 1000))
    query = AgentQuery("How is AAPL doing?", [ModelChoice(ListModel(), "list")])
    size = 0
    async for event in agent.process_query_streaming(query, Deadline.after(60)):
        size += len(encode(frame(event, SYSTEM_CLOCK)))
    return size


def cpu_ms_per_1000_chunks(run: Callable[[], Awaitable[int]]) -> float:
    async def timed() -> float:
        started = time.process_time()
        await run()
        return time.process_time() - started

    return 1000 * asyncio.run(timed()) / len(CHUNKS) * 1000


def main() -> None:
    cpu_ms_per_1000_chunks(checked)
    pairs = [(cpu_ms_per_1000_chunks(unchecked), cpu_ms_per_1000_chunks(checked)) for _ in range(RUNS)]
    floor, ours = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    print(f"CPU per 1,000 chunks, encoded only:        {floor:6.1f} ms")
    print(f"CPU per 1,000 chunks, checked and encoded: {ours:6.1f} ms (goal 35, beside 75 for reading them)")
    print(f"ratio {ours / floor:.1f}")


if __name__ == "__main__":
    main()
