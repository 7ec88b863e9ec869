"""One error type per reaction of the caller; the HTTP layer maps them to responses in one place.

``status`` is the HTTP status, ``code`` the stable machine-readable name, ``retryable`` says whether the same request
may succeed later without a change. ``detail`` is written for the caller: it names the thing and the way out, and never
carries an upstream's message, a secret or an exception's text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request; never the value that was sent."""

    field: str
    message: str


class AppError(Exception):
    """Base of every error that a caller is meant to see."""

    status: ClassVar[int] = 500
    code: str = "internal_error"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code
        self.errors = tuple(errors)
        self.retry_after = retry_after


class InvalidRequest(AppError):
    """The request breaks the syntax or the rules of the contract; sending it again will not help."""

    status, code, title = 400, "invalid_request", "Invalid request"


class Unauthenticated(AppError):
    status, code, title = 401, "unauthenticated", "Sign-in required"


class Forbidden(AppError):
    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(AppError):
    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(AppError):
    """``allow`` lists the methods that the route answers, for the ``Allow`` header."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"

    def __init__(self, detail: str, *, allow: Sequence[str]) -> None:
        super().__init__(detail)
        self.allow = tuple(allow)


class Conflict(AppError):
    status, code, title = 409, "conflict", "Conflict"


class PayloadTooLarge(AppError):
    status, code, title = 413, "payload_too_large", "Request body too large"


class UnsupportedMediaType(AppError):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Unservable(AppError):
    """The request was understood but cannot be served: filtered content, too long a context, too little data."""

    status, code, title = 422, "unservable", "Request cannot be served"


class RateLimited(AppError):
    status, code, title, retryable = 429, "rate_limited", "Too many requests", True


class UpstreamMalformed(AppError):
    """A provider answered, but not with what it promised."""

    status, code, title, retryable = 502, "upstream_malformed", "A provider answered badly", True


class UpstreamRefused(AppError):
    """A provider refuses what we send; the same request will be refused again, and the caller is not at fault."""

    status, code, title = 502, "upstream_refused", "A provider refused the request"


class DependencyUnavailable(AppError):
    """A dependency is down, or load is shed; the request was fine."""

    status, code, title, retryable = 503, "dependency_unavailable", "A dependency is unavailable", True


class DeadlineExceeded(AppError):
    status, code, title, retryable = 504, "deadline_exceeded", "Deadline exceeded", True


class SymbolNotFound(NotFound):
    """Every source that answered said that the symbol does not exist; an outage is never reported as this."""

    code, title = "symbol_not_found", "Symbol not found"

    def __init__(self, symbol: str, *, suggestions: Sequence[str] = ()) -> None:
        self.symbol = symbol
        self.suggestions = tuple(suggestions)
        hint = f" Did you mean {', '.join(self.suggestions)}?" if self.suggestions else " Search with /api/symbols?q=."
        super().__init__(f"No instrument is listed under {symbol!r}.{hint}")


class InsufficientData(Unservable):
    """The symbol exists, but there are too few bars for what was asked."""

    code, title = "insufficient_data", "Insufficient data"


class MarketDataUnavailable(DependencyUnavailable):
    """No source of market data could answer; says nothing about whether the symbol exists."""

    code, title = "market_data_unavailable", "Market data unavailable"


class ModelUnavailable(DependencyUnavailable):
    """No language model could answer and the offline analyst was not allowed to."""

    code, title = "model_unavailable", "No model available"
