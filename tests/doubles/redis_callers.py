"""Processes that ask one cache for the same key at the same time, and an origin that counts in Redis.

Run as a module it is one such process: orders come as JSON lines on standard input, results go to standard output.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import redis

from shared.cache.codec import Codec
from shared.cache.config import CacheConfig, RedisConfig
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey
from shared.cache.layered import LayeredCache
from shared.clock import SYSTEM_CLOCK
from shared.errors import AppError

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Trial:
    """What happened to one cold key: fetches in all processes, what callers got, and how long the slowest waited."""

    fetches: int
    answers: tuple[str, ...]
    slowest_s: float


class CallerProcesses:
    """``count`` processes over the server at ``port``. ``shared`` False: each has its own memory only."""

    def __init__(self, port: int, count: int, *, shared: bool = True, lease_s: float = 2.0) -> None:
        self._admin = redis.Redis(port=port, username="admin", password="any")
        self._arguments = [str(port), str(int(shared)), str(lease_s)]
        self._processes = [self._started() for _ in range(count)]
        for process in self._processes:
            assert _line(process) == "ready"

    def trial(self, name: str, *, callers: int, origin_s: float, fail: bool = False, hang_first: bool = False) -> Trial:
        """All processes ask at once. ``hang_first``: one asks before them, gets stuck in its fetch and is killed; it is
        replaced for the next trial."""
        order = {"name": name, "callers": callers, "origin_s": origin_s, "fail": fail}
        asking = list(self._processes)
        if hang_first:
            stuck = asking.pop(0)
            _order(stuck, {**order, "callers": 1, "origin_s": 600})
            _until(lambda: self._fetches(name) == 1)
        # The same moment for all; the order takes a while to arrive.
        order["at"] = time.time() + 0.1
        for process in asking:
            _order(process, order)
        if hang_first:
            _until(lambda: time.time() > order["at"] + 0.1)
            self._kill(stuck)
            self._processes.append(self._started())
        results = [json.loads(_line(process)) for process in asking]
        if hang_first:
            assert _line(self._processes[-1]) == "ready"
        answers = tuple(answer for result in results for answer in result["answers"])
        return Trial(self._fetches(name), answers, max(result["slowest_s"] for result in results))

    def __len__(self) -> int:
        return len(self._processes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in list(self._processes):
            self._kill(process)
        self._admin.close()

    def _started(self) -> Any:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.doubles.redis_callers", *self._arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _fetches(self, name: str) -> int:
        return int(self._admin.get(f"fetches:{name}") or 0)

    def _kill(self, process: Any) -> None:
        self._processes.remove(process)
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _line(process: Any) -> str:
    return process.stdout.readline().strip()


def _order(process: Any, order: dict[str, Any]) -> None:
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.005)


async def _serve(port: int, *, shared: bool, lease_s: float) -> None:
    settings: dict[str, Any] = {"redis": RedisConfig(host="127.0.0.1", port=port)} if shared else {}
    cache = LayeredCache(CacheConfig(lease_s=lease_s, **settings), clock=SYSTEM_CLOCK, rng=random.Random())
    counter = redis.asyncio.Redis(port=port)
    await cache.warm()
    await counter.ping()
    print("ready", flush=True)
    while order := json.loads(await asyncio.to_thread(sys.stdin.readline) or "null"):
        print(json.dumps(await _ask(cache, counter, order)), flush=True)


async def _ask(cache: LayeredCache, counter: Any, order: dict[str, Any]) -> dict[str, Any]:
    async def fetch() -> Fetched[str]:
        await counter.incr(f"fetches:{order['name']}")
        await asyncio.sleep(order["origin_s"])
        if order["fail"]:
            raise ConnectionError("the origin is down")
        return Fetched(f"{order['name']} of {os.getpid()}", 60)

    async def one() -> tuple[str, float]:
        started = time.perf_counter()
        try:
            answer = (await cache.get_or_fetch(CacheKey("stampede", (order["name"],)), Codec(str), fetch)).value
        except (ConnectionError, AppError):
            answer = "failed"
        return answer, time.perf_counter() - started

    await asyncio.sleep(max(0.0, order.get("at", 0) - time.time()))
    results = await asyncio.gather(*[one() for _ in range(order["callers"])])
    return {"answers": [answer for answer, _ in results], "slowest_s": max(seconds for _, seconds in results)}


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), shared=bool(int(sys.argv[2])), lease_s=float(sys.argv[3])))
