"""Refusing the next one at the door."""

import pytest

from shared.errors import DependencyUnavailable
from shared.resilience.load_gate import LoadGate


def test_limit_counts_those_inside():
    """At the limit both the look and the entry are refused; a place that is left can be taken."""
    gate = LoadGate(2)
    with gate.enter():
        with gate.enter():
            with pytest.raises(DependencyUnavailable) as raised:
                gate.check()
            with pytest.raises(DependencyUnavailable), gate.enter():
                pytest.fail("nobody else may enter")
        gate.check()

    assert (raised.value.code, raised.value.status, raised.value.retry_after) == ("overloaded", 503, 1)
    assert gate.inside == 0


def test_place_is_freed_by_an_exception():
    """A failure inside does not use up a place for ever."""
    gate = LoadGate(1)
    with pytest.raises(KeyError), gate.enter():
        raise KeyError

    assert gate.inside == 0


def test_refused_entry_takes_no_place():
    """Who was refused does not count as inside."""
    gate = LoadGate(1)
    with gate.enter():
        with pytest.raises(DependencyUnavailable), gate.enter():
            pass
        assert gate.inside == 1
