"""Server-sent events out of raw bytes, because 'the stream ended properly' is only visible at this level."""

_DATA = b"data:"


class SseReader:
    """Cuts bytes into the payloads of ``data:`` lines; other fields and comments are dropped.

    Lines are cut before anything is decoded, so a character may be split over any number of chunks. Work is linear in
    the bytes fed, whatever their cut.
    """

    def __init__(self) -> None:
        self._tail = bytearray()
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads completed by this chunk."""
        if b"\n" not in chunk and b"\r" not in chunk and not self._tail.endswith(b"\r"):
            self._tail += chunk
            return []
        self._tail += chunk
        lines = self._tail.splitlines(keepends=True)
        # A carriage return at the very end may be the first half of CRLF.
        self._tail = lines.pop() if not lines[-1].endswith(b"\n") else bytearray()
        payloads: list[bytes] = []
        for line in lines:
            self._line(bytes(line.rstrip(b"\r\n")), payloads)
        return payloads

    def finish(self) -> list[bytes]:
        """What is left at the end of the stream, which servers do not always close with a blank line."""
        payloads: list[bytes] = []
        self._line(bytes(self._tail.rstrip(b"\r")), payloads)
        self._tail.clear()
        self._line(b"", payloads)
        return payloads

    def _line(self, line: bytes, payloads: list[bytes]) -> None:
        if line.startswith(_DATA):
            self._data.append(line[len(_DATA) :].removeprefix(b" "))
        elif not line and self._data:
            payloads.append(b"\n".join(self._data))
            self._data.clear()
