"""Sheds load at the door instead of slowing everybody down."""

from collections.abc import Generator
from contextlib import contextmanager

from shared.errors import DependencyUnavailable


class LoadGate:
    """At most ``limit`` at a time; the next one is refused at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.inside = 0

    def check(self) -> None:
        """Raises ``DependencyUnavailable`` when nobody else may enter now."""
        if self.inside >= self._limit:
            raise DependencyUnavailable("Too many requests at once. Try again.", code="overloaded", retry_after=1)

    @contextmanager
    def enter(self) -> Generator[None]:
        self.check()
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
