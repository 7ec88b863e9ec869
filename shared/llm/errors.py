"""How a model can fail: one kind per reaction of the caller, never the upstream's own text."""

from typing import Literal

ErrorKind = Literal[
    "rate_limited",
    "quota",
    "auth",
    "model_not_found",
    "server_error",
    "redirected",
    "first_token_timeout",
    "idle_timeout",
    "deadline",
    "upstream_lost",
    "truncated",
    "empty_answer",
    "upstream_malformed",
    "bad_content_type",
    "context_length",
    "content_filter",
    "bad_request",
    "too_large",
]

# The request itself is at fault, or a policy decided: another provider must not be asked (facts of the fault matrix).
_NO_FALLBACK: frozenset[ErrorKind] = frozenset({"context_length", "content_filter", "bad_request", "too_large"})


class ModelError(Exception):
    """A model call that did not end well.

    ``started`` is true when text had already been handed over, ``retry_after`` is in seconds when the provider said so.
    """

    def __init__(
        self, provider: str, kind: ErrorKind, *, retry_after: float | None = None, started: bool = False
    ) -> None:
        super().__init__(f"{provider}: {kind}")
        self.provider = provider
        self.kind: ErrorKind = kind
        self.retry_after = retry_after
        self.started = started

    @property
    def may_fall_back(self) -> bool:
        """Whether another provider may be asked, provided that nothing has reached the client yet."""
        return self.kind not in _NO_FALLBACK
