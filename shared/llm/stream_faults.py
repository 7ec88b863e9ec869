"""The one exception between the parts of a stream, so that only the client itself speaks of providers."""

from shared.llm.errors import ErrorKind


class StreamFault(Exception):
    """A stream or request that did not end well. It carries a kind and never any text of the other side."""

    def __init__(self, kind: ErrorKind, *, retry_after: float | None = None) -> None:
        super().__init__(kind)
        self.kind: ErrorKind = kind
        self.retry_after = retry_after
