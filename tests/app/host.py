"""Starts real devhost processes for tests, so that an app is tested through HTTP as it will be served."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

REPOSITORY = Path(__file__).resolve().parents[2]
_READY = re.compile(r"(?m)^devhost: ready on (http://\S+)$")
# Nothing else of the surrounding environment reaches the app, so a developer's own settings cannot change a test.
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


class HostError(AssertionError):
    """The host did not become ready; the message ends with what it printed."""


class HostProcess:
    """A devhost of its own, stopped by `stop` or on leaving the context."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._output: list[str] = []
        self._changed = threading.Condition()
        streams = [stream for stream in (process.stdout, process.stderr) if stream]
        self._open = len(streams)
        self._readers = [self._drain(stream) for stream in streams]
        self.base_url = ""

    @classmethod
    def start(
        cls,
        app_dir: Path,
        env: Mapping[str, str] | None = None,
        args: Sequence[str] = (),
        timeout: float = 30,
        port: int | None = 0,
    ) -> Self:
        """Returns once the ready line is there; raises HostError when the process ends or `timeout` passes first.

        Port 0 is a free one, None leaves the choice to the app's settings.
        """
        host = cls.launch(app_dir, env, args, port)
        try:
            host.wait_for(_READY, timeout)
        finally:
            found = _READY.search(host.output())
            code = host._process.poll()
            if found is None:
                host.kill()
        if found is None:
            raise HostError(f"devhost is not ready within {timeout} s (exit code {code}):\n{host.output()}")
        host.base_url = found[1]
        return host

    @classmethod
    def launch(
        cls,
        app_dir: Path,
        env: Mapping[str, str] | None = None,
        args: Sequence[str] = (),
        port: int | None = 0,
    ) -> Self:
        """Does not wait, for hosts that are not expected to become ready."""
        address = [] if port is None else ["--port", str(port)]
        command = [sys.executable, "-m", "devhost", "--app-dir", str(app_dir), *address, *args]
        clean = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return cls(
            subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env={**clean, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        )

    def output(self) -> str:
        """Standard output and standard error so far; lines of the two may be out of order with each other."""
        with self._changed:
            return "".join(self._output)

    def wait_for(self, pattern: str | re.Pattern[str], timeout: float = 10) -> bool:
        """Whether the output matches `pattern` before the process ends or `timeout` passes."""
        expression = re.compile(pattern)
        with self._changed:
            self._changed.wait_for(lambda: expression.search("".join(self._output)) or self._open == 0, timeout)
            return expression.search("".join(self._output)) is not None

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float = 20) -> int:
        """The exit code; kills the process and raises HostError when it is still there after `timeout`."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise HostError(f"devhost did not end within {timeout} s:\n{self.output()}") from None
        self._close()
        return code

    def stop(self, timeout: float = 20) -> int:
        """Asks it to stop and returns the exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        return self.wait(timeout)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _drain(self, stream: IO[str]) -> threading.Thread:
        reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        reader.start()
        return reader

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._changed:
                self._output.append(line)
                self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def _close(self) -> None:
        for reader in self._readers:
            reader.join(timeout=5)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
