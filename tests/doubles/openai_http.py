"""A small HTTP/1.1 server in a thread of its own, so that doubles can misbehave on the wire and see clients leave."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

_REASONS = {200: "OK", 307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


@dataclass(frozen=True)
class Request:
    """One request as it came; ``body`` is its JSON, None without one."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: Any = None


class Connection(asyncio.Protocol):
    """One client. The exchange in progress is cancelled as soon as the client closes its end."""

    def __init__(self, server: "HttpDouble") -> None:
        self._server = server
        self._received = bytearray()
        self._requests: asyncio.Queue[Request] = asyncio.Queue()
        self._writable = asyncio.Event()
        self._writable.set()
        self._exchanging = False
        self._chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._server._joined(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._next_request()) is not None:
            self._requests.put_nowait(request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._left(self, self._exchanging)
        self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _next_request(self) -> Request | None:
        head, found, rest = bytes(self._received).partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        del self._received[: len(head) + 4 + length]
        method, path, _ = first.split(" ")
        return Request(method, path, headers, json.loads(rest[:length]) if length else None)

    async def _serve(self) -> None:
        while True:
            request = await self._requests.get()
            self._exchanging = True
            await self._server.respond(request, self)
            self._exchanging = False

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Status line and headers; without a content-length the body is chunked."""
        self._chunked = not any(name.lower() == "content-length" for name in headers)
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Transfer-Encoding: chunked"] if self._chunked else []
        self._transport.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def write(self, data: bytes) -> None:
        """A piece of the body, as one chunk; waits while the client does not read."""
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        # A turn of the loop even when nothing blocks, or a closed connection would never be noticed.
        await asyncio.sleep(0)
        await self._writable.wait()

    def end(self) -> None:
        if self._chunked:
            self._transport.write(b"0\r\n\r\n")

    def close(self) -> None:
        """Close with a FIN: after a chunked body without its end, this is a cut."""
        self._exchanging = False
        self._transport.close()

    def reset(self) -> None:
        """Close with a RST."""
        self._exchanging = False
        sock: socket.socket = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    async def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.head(status, {**headers, "Content-Length": str(len(body))})
        await self.write(body)


class HttpDouble:
    """Base of the doubles: a context manager that serves on loopback. Its counters may be read from any thread."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._connections: set[Connection] = set()
        self.requests: list[Request] = []
        self.disconnects = 0

    async def respond(self, request: Request, connection: Connection) -> None:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name=type(self).__name__, daemon=True)
        self._thread.start()
        self._ready.wait(5)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    async def until(self, reached: Callable[[], bool], timeout: float = 2.0) -> bool:
        """Waits, off the caller's loop, until a counter has got somewhere; False when it did not in time."""
        return await asyncio.to_thread(self.wait, reached, timeout)

    def wait(self, reached: Callable[[], bool], timeout: float = 2.0) -> bool:
        with self._changed:
            return self._changed.wait_for(reached, timeout)

    def record(self, **changes: int) -> None:
        """Add to counters and wake whoever waits for them."""
        with self._changed:
            for name, by in changes.items():
                setattr(self, name, getattr(self, name) + by)
            self._changed.notify_all()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await self._loop.create_server(lambda: Connection(self), "127.0.0.1", self._port)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in list(self._connections):
            connection.close()
        await server.wait_closed()

    def _joined(self, connection: Connection) -> None:
        self._connections.add(connection)
        self.record()

    def _left(self, connection: Connection, midway: bool) -> None:
        self._connections.discard(connection)
        self.record(disconnects=int(midway))
