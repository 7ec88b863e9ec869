"""A request sent twice is carried out once: the second one gets the first one's result."""

from collections import OrderedDict
from dataclasses import dataclass

from shared.clock import SYSTEM_CLOCK, Clock
from shared.errors import Conflict

_KEPT_S = 24 * 3600.0
_MAX_ENTRIES = 1000
# A full answer with all its facts is some 30 KB.
_MAX_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class StoredResult:
    content: bytes
    media_type: str


@dataclass(slots=True)
class _Entry:
    fingerprint: str
    expires_at: float
    result: StoredResult | None = None


class Reservation:
    """The right to carry a request out; ``complete`` or ``release`` it, whichever comes first counts."""

    def __init__(self, store: "IdempotencyStore", key: tuple[str, str], entry: _Entry) -> None:
        self._store = store
        self._key = key
        self._entry = entry

    def complete(self, result: StoredResult) -> None:
        self._store._complete(self._key, self._entry, result)

    def release(self) -> None:
        """It did not succeed: the next attempt may carry it out again."""
        self._store._release(self._key, self._entry)


class IdempotencyStore:
    """Keys by caller, in this process, for 24 hours or until newer ones push them out.

    ``pending_s`` bounds how long a request counts as running: one whose worker died must not block its key.
    """

    def __init__(self, *, pending_s: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self._pending_s = pending_s
        self._clock = clock
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    def begin(self, caller: str, key: str, fingerprint: str) -> StoredResult | Reservation:
        """The stored result of an earlier request, or the right to carry this one out.

        Raises Conflict: ``idempotency_key_reused`` for another body, ``in_progress`` while the first still runs.
        """
        now = self._clock.monotonic()
        known = self._entries.get((caller, key))
        if known is None or known.expires_at <= now:
            entry = _Entry(fingerprint, now + self._pending_s)
            self._entries[caller, key] = entry
            self._entries.move_to_end((caller, key))
            self._shrink()
            return Reservation(self, (caller, key), entry)
        if known.fingerprint != fingerprint:
            raise Conflict(
                "This Idempotency-Key was used for another request; use a new key.", code="idempotency_key_reused"
            )
        if known.result is None:
            raise Conflict("The first request with this Idempotency-Key is still running.", code="in_progress")
        return known.result

    def _complete(self, key: tuple[str, str], entry: _Entry, result: StoredResult) -> None:
        if self._entries.get(key) is not entry:
            return
        if len(result.content) > _MAX_BYTES:
            del self._entries[key]
            return
        entry.result = result
        entry.expires_at = self._clock.monotonic() + _KEPT_S

    def _release(self, key: tuple[str, str], entry: _Entry) -> None:
        if self._entries.get(key) is entry and entry.result is None:
            del self._entries[key]

    def _shrink(self) -> None:
        while len(self._entries) > _MAX_ENTRIES:
            self._entries.popitem(last=False)
