"""Time as a dependency."""

from datetime import timedelta

from shared.clock import SYSTEM_CLOCK


def test_now_is_aware_utc():
    """A moment without a zone would be read in the reader's own."""
    assert SYSTEM_CLOCK.now().utcoffset() == timedelta(0)


def test_monotonic_never_runs_backwards():
    """Deadlines rest on it."""
    readings = [SYSTEM_CLOCK.monotonic() for _ in range(100)]

    assert readings == sorted(readings)
