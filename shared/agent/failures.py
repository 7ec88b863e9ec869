"""What a caller is told when no model could answer: one error per reaction, in our own words."""

from collections.abc import Mapping

from shared.errors import (
    AppError,
    DeadlineExceeded,
    ModelUnavailable,
    Unservable,
    UpstreamMalformed,
    UpstreamRefused,
)
from shared.llm.errors import ErrorKind, ModelError

_TIMEOUT = "The model did not answer in time. Try again."
_BROKEN = "The model's answer broke off or could not be read. Try again."
_REFUSED = "The model's provider refused the request."
_FAILURES: Mapping[ErrorKind, tuple[type[AppError], str, str]] = {
    "content_filter": (
        Unservable,
        "content_filtered",
        "The model's provider filtered this request. Rephrase the question.",
    ),
    "context_length": (
        Unservable,
        "context_too_long",
        "The conversation is too long for the model. Start a new one.",
    ),
    "first_token_timeout": (DeadlineExceeded, "model_first_token_timeout", _TIMEOUT),
    "idle_timeout": (DeadlineExceeded, "model_idle_timeout", _TIMEOUT),
    "deadline": (DeadlineExceeded, "model_deadline", _TIMEOUT),
    "truncated": (UpstreamMalformed, "truncated", _BROKEN),
    "empty_answer": (UpstreamMalformed, "empty_answer", _BROKEN),
    "upstream_malformed": (UpstreamMalformed, "upstream_malformed", _BROKEN),
    "bad_content_type": (UpstreamMalformed, "bad_content_type", _BROKEN),
    "upstream_lost": (UpstreamMalformed, "upstream_lost", "The connection to the model was lost. Try again."),
    "bad_request": (UpstreamRefused, "bad_request", _REFUSED),
    "redirected": (UpstreamRefused, "redirected", _REFUSED),
    "too_large": (UpstreamRefused, "too_large", "The model's answer grew beyond every limit."),
}
# A provider may say "in twenty-five years"; nobody plans with that.
_LONGEST_WAIT_S = 3600.0


def caller_error(error: ModelError) -> AppError:
    """The error for the client; ``code`` keeps the kind, the upstream's own text is not in it."""
    if failure := _FAILURES.get(error.kind):
        kind, code, detail = failure
        return kind(detail, code=code)
    return ModelUnavailable(
        "No language model can answer right now. Try again later.",
        code=f"model_{error.kind.removeprefix('model_')}",
        retry_after=None if error.retry_after is None else min(error.retry_after, _LONGEST_WAIT_S),
    )
