"""Counts what each caller does, so that one caller cannot use up what is there for all."""

import math
from collections import OrderedDict
from dataclasses import dataclass

from shared.clock import SYSTEM_CLOCK, Clock
from shared.errors import RateLimited

_MAX_CALLERS = 20_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimiter:
    """A token bucket per limit and caller: ``per_minute`` requests at once, refilled evenly. Counts in this process
    only. The callers seen least recently are forgotten, which favours them and bounds the memory."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def check(self, limit: str, caller: str, per_minute: int) -> None:
        """Count one request; raises ``RateLimited`` with the time to wait. ``per_minute`` 0 means no limit."""
        if per_minute == 0:
            return
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault((limit, caller), _Bucket(float(per_minute), now))
        self._buckets.move_to_end((limit, caller))
        if len(self._buckets) > _MAX_CALLERS:
            self._buckets.popitem(last=False)
        bucket.tokens = min(per_minute, bucket.tokens + (now - bucket.filled_at) * per_minute / 60)
        bucket.filled_at = now
        if bucket.tokens < 1:
            wait = math.ceil((1 - bucket.tokens) * 60 / per_minute)
            raise RateLimited(
                f"The limit is {per_minute} requests per minute. Try again in {wait} s.", retry_after=wait
            )
        bucket.tokens -= 1
