"""Threads for a blocking library that can hang: bounded, counted, and never in the way of the process ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue


class PoolFull(Exception):
    """Every worker is busy or hung and the backlog is full, or the pool is closed; the job was not accepted."""


type _Work = tuple[Future[object], Callable[[], object]]


class WorkerPool:
    """At most ``size`` jobs run and ``backlog`` wait; what exceeds that is refused at once.

    A thread stuck in a C library cannot be killed, so its job keeps its place until it returns. The standard executor
    joins its threads when the interpreter exits and would hold the process for as long as the slowest hung request;
    these threads are daemons. ``on_thread_end`` runs in each thread that ends because the pool was closed.
    """

    def __init__(self, *, size: int, backlog: int, name: str, on_thread_end: Callable[[], None] = lambda: None) -> None:
        self._size = size
        self._capacity = size + backlog
        self._name = name
        self._on_thread_end = on_thread_end
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._unfinished: set[Future[object]] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False

    @property
    def unfinished(self) -> int:
        """Jobs that run, hang or wait."""
        return len(self._unfinished)

    def submit(self, job: Callable[[], object]) -> Future[object]:
        """Cancelling the returned future gives the place of a waiting job back, not that of a running one."""
        future: Future[object] = Future()
        with self._lock:
            if self._closed or len(self._unfinished) >= self._capacity:
                raise PoolFull
            self._unfinished.add(future)
            self._grow()
            self._queue.put((future, job))
        future.add_done_callback(self._release)
        return future

    def close(self) -> None:
        """Refuse new jobs, cancel waiting ones, let idle threads end; idempotent and never waits for a running job."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            waiting = tuple(self._unfinished)
            for _ in self._threads:
                self._queue.put(None)
        for future in waiting:
            future.cancel()

    def _grow(self) -> None:
        if len(self._threads) < min(self._size, len(self._unfinished)):
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _release(self, future: Future[object]) -> None:
        with self._lock:
            self._unfinished.discard(future)

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            _run(*work)
            del work  # an idle thread must not keep the last result alive
        self._on_thread_end()


def _run(future: Future[object], job: Callable[[], object]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 - the waiter gets it, as with the standard executor
        future.set_exception(error)
    else:
        future.set_result(result)
