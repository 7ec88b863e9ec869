"""A clock that only moves when a test moves it."""

from datetime import UTC, datetime, timedelta

from shared.clock import Clock


class FakeClock:
    """``advance`` moves both the monotonic time and the date."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.moment = datetime(2026, 6, 12, 19, 0, tzinfo=UTC)
        self.clock = Clock(now=lambda: self.moment, monotonic=lambda: self.seconds)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.moment += timedelta(seconds=seconds)
