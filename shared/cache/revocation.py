"""Keeps what was read before a write from being stored after it, within this process."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass

from shared.cache.keys import CacheKey


@dataclass(slots=True, eq=False)
class Ticket:
    """The right to store what is being read for one key."""

    revoked: bool = False


class Revocations:
    """Holds a ticket per reading under way, and nothing when there is none."""

    def __init__(self) -> None:
        self._tickets: dict[CacheKey, set[Ticket]] = {}

    @contextmanager
    def watch(self, key: CacheKey) -> Generator[Ticket]:
        ticket = Ticket()
        self._tickets.setdefault(key, set()).add(ticket)
        try:
            yield ticket
        finally:
            tickets = self._tickets[key]
            tickets.discard(ticket)
            if not tickets:
                del self._tickets[key]

    def revoke(self, key: CacheKey) -> None:
        self._mark(self._tickets.get(key, ()))

    def revoke_namespace(self, namespace: str) -> None:
        for key, tickets in self._tickets.items():
            if key.namespace == namespace:
                self._mark(tickets)

    def __len__(self) -> int:
        return len(self._tickets)

    @staticmethod
    def _mark(tickets: Iterable[Ticket]) -> None:
        for ticket in tickets:
            ticket.revoked = True
