"""The pool that keeps a hanging library in bounds."""

import threading
import weakref
from concurrent.futures import CancelledError

import pytest

from shared.market.providers.yahoo_workers import PoolFull, WorkerPool


@pytest.fixture
def gate():
    """Holds jobs until it is opened, which happens at the latest when the test is over."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def pool():
    pool = WorkerPool(size=2, backlog=1, name="test")
    yield pool
    pool.close()


def _hang(pool, gate, count):
    started = threading.Barrier(count + 1)

    def job():
        started.wait(10)
        gate.wait(10)

    futures = [pool.submit(job) for _ in range(count)]
    started.wait(10)
    return futures


def test_result_and_error_reach_the_waiter(pool):
    """What a job returns or raises comes out of its future."""
    assert pool.submit(lambda: 5).result(10) == 5
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(10)


def test_threads_are_reused_and_do_not_outlive_the_process():
    """Jobs one after another share one thread, and it is a daemon."""
    pool = WorkerPool(size=4, backlog=0, name="test")

    seen = {pool.submit(threading.current_thread).result(10) for _ in range(5)}

    assert [thread.daemon for thread in seen] == [True]
    pool.close()


def test_job_beyond_threads_and_backlog_is_refused(pool, gate):
    """With two jobs running and one waiting, the fourth is refused at once."""
    _hang(pool, gate, 2)
    pool.submit(lambda: None)

    with pytest.raises(PoolFull):
        pool.submit(lambda: None)


def test_cancelled_waiting_job_gives_its_place_back(pool, gate):
    """A waiter that gives up makes room, and its job is never run."""
    _hang(pool, gate, 2)
    ran = threading.Event()
    assert pool.submit(ran.set).cancel()

    successor = pool.submit(lambda: "done")
    gate.set()

    assert successor.result(10) == "done"
    assert not ran.is_set()


def test_running_job_keeps_its_place(pool, gate):
    """A running job cannot be cancelled and counts until it returns."""
    first, second = _hang(pool, gate, 2)
    assert not first.cancel()
    assert pool.unfinished == 2

    gate.set()
    first.result(10)
    second.result(10)

    assert pool.unfinished == 0


def test_idle_thread_keeps_no_result_alive(pool):
    """The last result is released although the thread that made it waits for more."""

    class Result:
        pass

    released = threading.Event()
    weakref.finalize(pool.submit(Result).result(10), released.set)

    assert released.wait(5)


def test_closing_cancels_what_waits_and_not_what_runs(pool, gate):
    """Close returns while a job runs; the waiting one is cancelled and new ones are refused."""
    running, _ = _hang(pool, gate, 2)
    waiting = pool.submit(lambda: None)

    pool.close()
    pool.close()

    with pytest.raises(CancelledError):
        waiting.result(10)
    with pytest.raises(PoolFull):
        pool.submit(lambda: None)
    gate.set()
    assert running.result(10) is None


def test_threads_end_after_closing_and_say_so():
    """Every thread calls the hook as the last thing it does."""
    ended: list[str] = []
    pool = WorkerPool(size=1, backlog=0, name="test", on_thread_end=lambda: ended.append("end"))
    thread = pool.submit(threading.current_thread).result(10)

    pool.close()
    thread.join(10)

    assert not thread.is_alive()
    assert ended == ["end"]
