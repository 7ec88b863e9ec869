"""The two-step stop: the first signal asks, the second one insists."""

import asyncio
import os
import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Before `listen_on` a signal interrupts at once as KeyboardInterrupt; afterwards it sets the event."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None
        self.received: int | None = None

    def install(self) -> None:
        # Not loop.add_signal_handler: the second signal must work while a handler blocks the loop.
        for each in _SIGNALS:
            signal.signal(each, self._handle)

    def listen_on(self, event: asyncio.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = event

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            leave(128 + number, "devhost: stopped at once")
        self.received = number
        if self._loop is None or self._event is None:
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._event.set)


def leave(code: int, message: str) -> None:
    """Ends the process without waiting for threads or tasks."""
    # Not print: the signal may have interrupted one, and a buffered stream refuses to be entered twice.
    os.write(2, f"{message}\n".encode())
    os._exit(code)
