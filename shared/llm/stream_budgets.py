"""How long each step of a stream may take: a silent provider must cost its budget and no more."""

from dataclasses import dataclass

from shared.llm.errors import ErrorKind
from shared.resilience.deadline import Deadline


@dataclass(frozen=True, slots=True)
class StreamBudgets:
    """Seconds per step. The total is the deadline that comes with each request.

    ``first_token_s`` counts from the request to the first sign of generation, headers included; ``idle_s`` is the
    longest silence after it; ``max_bytes`` is the size of the whole response body.
    """

    connect_s: float = 2.0
    first_token_s: float = 8.0
    idle_s: float = 15.0
    max_bytes: int = 2_000_000


class StreamWatch:
    """Says how long the next wait may take, and what it means when that time is over.

    The first-token limit is a fixed moment: bytes that carry no token do not move it.
    """

    def __init__(self, deadline: Deadline, budgets: StreamBudgets) -> None:
        self.deadline = deadline
        self._idle_s = budgets.idle_s
        self._first = deadline.within(budgets.first_token_s)
        self.started = False

    def next_wait(self) -> tuple[float, ErrorKind]:
        limit = self.deadline.within(self._idle_s) if self.started else self._first
        if self.deadline.at <= limit.at:
            return limit.remaining(), "deadline"
        return limit.remaining(), "idle_timeout" if self.started else "first_token_timeout"
