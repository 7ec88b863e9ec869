"""Leaves a failing upstream alone for a while, instead of making every caller wait for the same failure."""

from dataclasses import dataclass, field

from shared.clock import SYSTEM_CLOCK, Clock


@dataclass(slots=True)
class Cooldown:
    """Opens after ``threshold`` failures in a row, for ``base_s`` doubling up to ``max_s``; ``trip`` opens it at once.

    When the time is over, callers are let through again; the first failure opens it for longer, a success resets it.
    What is reported while it is open comes from calls that began before: it neither ends nor changes the pause.
    """

    threshold: int = 3
    base_s: float = 15.0
    max_s: float = 120.0
    clock: Clock = SYSTEM_CLOCK
    _failures: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)
    last_error: str | None = field(default=None, init=False)

    @property
    def remaining_s(self) -> float:
        """Seconds until callers are let through; 0 when they are."""
        return max(0.0, self._until - self.clock.monotonic())

    @property
    def open(self) -> bool:
        return self.remaining_s > 0

    def succeeded(self) -> None:
        if self.open:
            return
        self._failures, self._until, self.last_error = 0, 0.0, None

    def failed(self, error: str) -> None:
        if self.open:
            return
        self._failures += 1
        self.last_error = error
        if self._failures >= self.threshold:
            doublings = min(self._failures - self.threshold, 10)
            self._until = self.clock.monotonic() + min(self.base_s * 2**doublings, self.max_s)

    def trip(self, error: str, seconds: float) -> None:
        """The upstream itself asked to be left alone for ``seconds``."""
        self.last_error = error
        self._failures = max(self._failures, self.threshold)
        self._until = max(self._until, self.clock.monotonic() + seconds)
