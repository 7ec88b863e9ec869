"""The test's end of ``tests.doubles.yahoo_worker``: providers that look local and run in a process of their own."""

import asyncio
import itertools
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from shared.market.provider import MarketDataError, ProviderRateLimited
from shared.market.types import Fundamentals, History, HistoryRange, Instrument, Interval, NewsItem, Quote
from tests.doubles.yahoo import YahooDouble

ROOT = Path(__file__).parents[2]


class YahooProcess:
    """A fresh interpreter, every warning an error, connected to ``double`` from its start."""

    def __init__(self, double: YahooDouble) -> None:
        self._now = double.now
        self._folder = tempfile.TemporaryDirectory(prefix="yahoo-process-")
        self._errors = Path(self._folder.name) / "stderr"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.doubles.yahoo_worker"],
                cwd=ROOT,
                env={**os.environ, **double.environment()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._numbers = itertools.count()
        self._pending: dict[int, Future[Any]] = {}
        self._sending = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def provider(self, *, now: datetime | None = None, **options: Any) -> "RemoteYahoo":
        """A new ``YahooProvider`` whose clock stands at ``now``, by default the double's."""
        return RemoteYahoo(self, self.send("open", (now or self._now, options)).result(timeout=30))

    def evaluate(self, expression: str) -> Any:
        """The value of a Python expression over ``sys``, ``threading`` and ``providers``."""
        return self.send("evaluate", expression).result(timeout=30)

    def send(self, verb: str, payload: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._sending:
            number = next(self._numbers)
            self._pending[number] = future
            pickle.dump((number, verb, payload), self._stdin)
            self._stdin.flush()
        return future

    def errors(self) -> str:
        """What the process has written to stderr: log lines of warnings and worse, warnings, tracebacks."""
        return self._errors.read_text()

    def close(self, timeout: float = 30) -> int:
        """The exit status after end of input; providers are closed by then. Idempotent; kills what does not end."""
        self._stdin.close()
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._folder.cleanup()

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    def _read(self) -> None:
        while True:
            try:
                number, outcome, content = pickle.load(self._process.stdout)
            except EOFError:
                break
            self._settle(self._pending.pop(number), outcome, content)
        for future in self._pending.values():
            future.set_exception(RuntimeError("the Yahoo process ended"))

    def _settle(self, future: Future[Any], outcome: str, content: Any) -> None:
        if outcome == "value":
            future.set_result(content)
        elif outcome == "raised":
            future.set_exception(_revived(*content))
        else:
            future.set_exception(RuntimeError(content))


class RemoteYahoo:
    """A ``MarketDataProvider``; results cross by pickle and so keep whatever type they really had."""

    name = "yahoo"

    def __init__(self, process: YahooProcess, index: int) -> None:
        self._process = process
        self._index = index

    async def warm(self) -> None:
        await self._call("warm")

    async def quote(self, symbol: str) -> Quote:
        return await self._call("quote", symbol)

    async def history(self, symbol: str, period: HistoryRange, interval: Interval) -> History:
        return await self._call("history", symbol, period, interval)

    async def search(self, query: str, limit: int) -> tuple[Instrument, ...]:
        return await self._call("search", query, limit)

    async def fundamentals(self, symbol: str) -> Fundamentals:
        return await self._call("fundamentals", symbol)

    async def news(self, symbol: str, limit: int) -> tuple[NewsItem, ...]:
        return await self._call("news", symbol, limit)

    async def aclose(self) -> None:
        await self._call("aclose")

    def unfinished(self) -> int:
        return self._process.evaluate(f"providers[{self._index}]._pool.unfinished")

    async def _call(self, method: str, *arguments: Any) -> Any:
        return await asyncio.wrap_future(self._process.send("call", (self._index, method, arguments)))


def _revived(
    kind: type[MarketDataError], provider: str, detail: str, retry_after: float | None, trace: str
) -> MarketDataError:
    """The error as it was, with the child's traceback, chained causes included, as a note."""
    if issubclass(kind, ProviderRateLimited):
        error: MarketDataError = kind(provider, detail, retry_after=retry_after)
    else:
        error = kind(provider, detail)
    error.add_note(trace)
    return error
