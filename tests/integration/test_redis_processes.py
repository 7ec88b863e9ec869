"""Many processes, one cold key: one of them fetches."""

import pytest

from tests.doubles.redis_callers import CallerProcesses

pytest_plugins = ["tests.doubles.redis_fixtures"]

PROCESSES, CALLERS = 8, 50


@pytest.fixture
def processes(redis_server):
    with CallerProcesses(redis_server.port, PROCESSES, lease_s=0.5) as processes:
        yield processes


def test_stampede(processes):
    """Eight processes with fifty callers each are one fetch, three times; a failing origin is asked at most twice;
    when the process that fetches is killed, another takes over when its lease has run out."""
    for number in range(3):
        trial = processes.trial(f"cold-{number}", callers=CALLERS, origin_s=0.2)
        assert (trial.fetches, len(trial.answers), len(set(trial.answers))) == (1, PROCESSES * CALLERS, 1)
        assert trial.slowest_s < 1.5

    failing = processes.trial("failing", callers=CALLERS, origin_s=0.2, fail=True)
    assert failing.fetches <= 2
    assert set(failing.answers) == {"failed"}
    assert failing.slowest_s < 1.5

    killed = processes.trial("killed", callers=CALLERS, origin_s=0.2, hang_first=True)
    assert killed.fetches == 2
    assert (len(killed.answers), len(set(killed.answers))) == ((PROCESSES - 1) * CALLERS, 1)
    assert 0.5 < killed.slowest_s < 2.5


def test_without_redis_every_process_fetches(redis_server):
    """The same trial without the shared level: the count would show it if processes were not really apart."""
    with CallerProcesses(redis_server.port, 3, shared=False) as processes:
        assert processes.trial("alone", callers=10, origin_s=0.2).fetches == 3
