"""The process in which the real Yahoo adapter runs under test: its HTTP client reads TLS settings when imported.

Started by ``tests.doubles.yahoo_process``; pickled commands arrive on stdin, pickled outcomes leave on the old stdout.
"""

import asyncio
import os
import pickle
import sys
import threading
import traceback
from datetime import datetime
from typing import Any, BinaryIO

from shared.clock import Clock
from shared.market.provider import MarketDataError, ProviderRateLimited
from shared.market.providers.yahoo import YahooProvider


class Worker:
    """Runs commands concurrently, so that a test can have several calls under way."""

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self.providers: list[YahooProvider] = []

    async def handle(self, number: int, verb: str, payload: Any) -> None:
        try:
            outcome = "value", await getattr(self, verb)(payload)
        except MarketDataError as error:
            outcome = "raised", _portable(error)
        except Exception:
            outcome = "broken", traceback.format_exc()
        pickle.dump((number, *outcome), self._replies)
        self._replies.flush()

    async def open(self, payload: tuple[datetime, dict[str, Any]]) -> int:
        now, options = payload
        clock = Clock(now=lambda: now)
        self.providers.append(YahooProvider(proxy_url=os.environ["YAHOO_PROXY_URL"], clock=clock, **options))
        return len(self.providers) - 1

    async def call(self, payload: tuple[int, str, tuple[Any, ...]]) -> Any:
        index, method, arguments = payload
        return await getattr(self.providers[index], method)(*arguments)

    async def evaluate(self, expression: str) -> Any:
        names = {"sys": sys, "threading": threading, "providers": self.providers}
        return await asyncio.to_thread(eval, expression, names)


def _portable(error: MarketDataError) -> tuple[type[MarketDataError], str, str, float | None, str]:
    retry_after = error.retry_after if isinstance(error, ProviderRateLimited) else None
    return type(error), error.provider, error.detail, retry_after, "".join(traceback.format_exception(error))


async def serve(commands: BinaryIO, replies: BinaryIO) -> None:
    worker, running = Worker(replies), set()
    while (command := await asyncio.to_thread(_next, commands)) is not None:
        task = asyncio.create_task(worker.handle(*command))
        running.add(task)
        task.add_done_callback(running.discard)
    for provider in worker.providers:
        await provider.aclose()


def _next(commands: BinaryIO) -> Any:
    try:
        return pickle.load(commands)
    except EOFError:
        return None


def main() -> None:
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)  # whatever a library prints must not end up among the replies
        asyncio.run(serve(sys.stdin.buffer, replies))


if __name__ == "__main__":
    main()
