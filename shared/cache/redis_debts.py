"""Invalidations that Redis has not taken yet: until it has, what it holds under these names is not believed."""

from collections import Counter, OrderedDict
from itertools import count, islice

from shared.cache.keys import CacheKey

type Owed = tuple[tuple[CacheKey | str, int], ...]
_MOST = 10_000
_AT_ONCE = 200


class Debts:
    """Bounded; the oldest are given up, and counted, when there are too many."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._owed: OrderedDict[CacheKey | str, int] = OrderedDict()
        self._numbers = count()

    def add(self, what: CacheKey | str) -> None:
        """A key, or the name of a namespace."""
        self._owed[what] = next(self._numbers)
        if len(self._owed) > _MOST:
            self._owed.popitem(last=False)
            self._counters["invalidations_lost"] += 1

    def on(self, key: CacheKey) -> bool:
        return bool(self._owed) and (key in self._owed or key.namespace in self._owed)

    def oldest(self) -> Owed:
        return tuple(islice(self._owed.items(), _AT_ONCE))

    def of(self, key: CacheKey) -> Owed:
        return ((key, self._owed[key]),) if key in self._owed else ()

    def paid(self, owed: Owed) -> None:
        """What became owed again since ``owed`` was taken stays: it may not have been part of the payment."""
        for what, number in owed:
            if self._owed.get(what) == number:
                del self._owed[what]

    def __len__(self) -> int:
        return len(self._owed)
