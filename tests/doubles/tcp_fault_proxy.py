"""A TCP proxy to one server on this machine that delays, swallows, cuts, damages and refuses."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Self

# An abort with this option sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)


class TcpFaultProxy:
    """Set the faults as attributes, at any time; ``clear`` takes them all away.

    ``latency_s`` counts per direction. ``blackhole`` swallows both directions, ``deaf`` only what the server sends.
    ``cut_after`` ends the connection in the middle of an answer, after so many bytes of it. ``damage`` changes what the
    server sends. ``reset_on_connect`` ends connections before the first byte. What the server sends while ``hold`` is
    set waits for that event, even if ``hold`` is taken away meanwhile.
    """

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.bytes_up = 0
        self.clear()

    def clear(self) -> None:
        self.latency_s = 0.0
        self.blackhole = False
        self.deaf = False
        self.reset_on_connect = False
        self.cut_after: int | None = None
        self.hold: asyncio.Event | None = None
        self.damage: Callable[[bytes], bytes] | None = None

    async def up(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Refuse connections and reset those that exist."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset_all()
        await asyncio.gather(*self._links, return_exceptions=True)

    def reset_all(self) -> None:
        for writer in tuple(self._writers):
            _reset(writer)

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.clear()
        for link in self._links:
            link.cancel()
        await self.down()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        self.connections += 1
        if self.reset_on_connect:
            _reset(writer)
            return
        try:
            await self._link(reader, writer)
        except (OSError, asyncio.CancelledError):
            _reset(writer)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        pair = {writer, upstream_writer}
        self._writers |= pair
        try:
            up = asyncio.create_task(self._pump(reader, upstream_writer, from_server=False))
            down = asyncio.create_task(self._pump(upstream_reader, writer, from_server=True))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            self._writers -= pair
            for one in pair:
                one.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_server: bool) -> None:
        while data := await reader.read(65_536):
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            if from_server and self.hold is not None:
                await self.hold.wait()
            if self.blackhole or (self.deaf and from_server):
                continue
            if from_server:
                data = self.damage(data) if self.damage else data
                if self.cut_after is not None:
                    writer.write(data[: self.cut_after])
                    await writer.drain()
                    return
            else:
                self.bytes_up += len(data)
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
