"""Turns what an origin returned into what is stored: encoded, dated, and with its life a little longer or shorter."""

import logging
import random
from collections import Counter
from typing import Any

from shared.cache.codec import Codec, Undecodable, Unencodable
from shared.cache.entries import UNSET, Absent, Entry, Fetched
from shared.clock import Clock

_log = logging.getLogger(__name__)


class EntryMaker:
    """``jitter`` is the share by which the fresh time varies, so that what was stored together does not end together.
    Proportional: a fixed number of seconds would double the age of a price and do nothing for a report."""

    def __init__(self, *, jitter: float, clock: Clock, rng: random.Random, counters: Counter[str]) -> None:
        self._jitter = jitter
        self._clock = clock
        self._rng = rng
        self._counters = counters

    def positive[T](self, codec: Codec[T], fetched: Fetched[T]) -> Entry:
        """Holds the value as a later hit will return it, so that the miss returns the same."""
        try:
            payload = codec.encode(fetched.value)
            value = codec.decode(payload)
        except (Unencodable, Undecodable) as error:
            # The value is served all the same: a fault in caching it is not the caller's.
            self._counters["unencodable"] += 1
            _log.warning("a value cannot be cached: it is not a %s (%s)", codec, error)
            return self._entry(codec, b"", 0, 0, value=fetched.value)
        return self._entry(codec, payload, fetched.fresh_s, fetched.stale_s, value=value if codec.shareable else UNSET)

    def negative(self, codec: Codec[Any], absent: Absent) -> Entry:
        detail = absent.detail.encode(errors="surrogatepass")
        return self._entry(codec, detail, absent.fresh_s, 0, negative=True)

    def _entry(
        self,
        codec: Codec[Any],
        payload: bytes,
        fresh_s: float,
        stale_s: float,
        *,
        negative: bool = False,
        value: Any = UNSET,
    ) -> Entry:
        now = self._clock.now().timestamp()
        fresh_until = now + fresh_s * self._rng.uniform(1 - self._jitter, 1 + self._jitter)
        return Entry(
            codec.schema,
            now,
            fresh_until,
            fresh_until + stale_s,
            negative,
            payload,
            value,
            cacheable=fresh_s + stale_s > 0,
        )
