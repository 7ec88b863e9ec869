"""Status, code and retryability of every error type, and what their messages may say."""

import inspect

import pytest

from shared import errors
from shared.errors import AppError, FieldError, InvalidRequest, MethodNotAllowed, SymbolNotFound
from shared.market.symbols import InvalidSymbol

TABLE = {
    errors.AppError: (500, "internal_error", False),
    errors.InvalidRequest: (400, "invalid_request", False),
    errors.Unauthenticated: (401, "unauthenticated", False),
    errors.Forbidden: (403, "forbidden", False),
    errors.NotFound: (404, "not_found", False),
    errors.MethodNotAllowed: (405, "method_not_allowed", False),
    errors.Conflict: (409, "conflict", False),
    errors.PayloadTooLarge: (413, "payload_too_large", False),
    errors.UnsupportedMediaType: (415, "unsupported_media_type", False),
    errors.Unservable: (422, "unservable", False),
    errors.RateLimited: (429, "rate_limited", True),
    errors.UpstreamMalformed: (502, "upstream_malformed", True),
    errors.UpstreamRefused: (502, "upstream_refused", False),
    errors.DependencyUnavailable: (503, "dependency_unavailable", True),
    errors.DeadlineExceeded: (504, "deadline_exceeded", True),
    errors.SymbolNotFound: (404, "symbol_not_found", False),
    errors.InsufficientData: (422, "insufficient_data", False),
    errors.MarketDataUnavailable: (503, "market_data_unavailable", True),
    errors.ModelUnavailable: (503, "model_unavailable", True),
}


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_status_code_and_retryability(kind):
    """One row per type: what the HTTP layer answers and whether a client may try again."""
    assert TABLE[kind] == (kind.status, kind.code, kind.retryable)


def test_every_type_has_a_row():
    """A new type without a row here has not been thought about."""
    defined = {item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, AppError)}

    assert defined == {*TABLE}


def test_every_type_has_its_own_code():
    """Clients tell errors apart by the code alone."""
    assert len(TABLE) == len({code for _, code, _ in TABLE.values()})


def test_outage_and_unknown_symbol_are_not_related():
    """No handler for one can catch the other."""
    assert not issubclass(errors.MarketDataUnavailable, errors.SymbolNotFound)
    assert not issubclass(errors.SymbolNotFound, errors.MarketDataUnavailable)


def test_code_can_be_narrowed_for_one_error():
    """A narrower code belongs to the instance; the type keeps its own."""
    error = errors.Unservable("Rephrase it.", code="content_filtered")

    assert (error.code, errors.Unservable.code) == ("content_filtered", "unservable")


def test_details_are_carried_along():
    """Detail, field errors and waiting time come out as they went in."""
    error = InvalidRequest("No.", errors=[FieldError("message", "is missing")], retry_after=3)

    assert (error.detail, error.errors, error.retry_after) == ("No.", (FieldError("message", "is missing"),), 3)
    assert str(error) == "No."


def test_allowed_methods_are_kept():
    """The Allow header needs them."""
    assert MethodNotAllowed("No.", allow=["GET", "HEAD"]).allow == ("GET", "HEAD")


def test_unknown_symbol_names_the_symbol_and_the_way_out():
    """With suggestions it offers them, without it names the search."""
    assert SymbolNotFound("HP", suggestions=["HPQ"]).detail == ("No instrument is listed under 'HP'. Did you mean HPQ?")
    assert SymbolNotFound("HP").detail == "No instrument is listed under 'HP'. Search with /api/symbols?q=."


def test_invalid_symbol_does_not_repeat_the_text():
    """What was sent may be 4 kB of anything."""
    error = InvalidSymbol()

    assert (error.status, error.code, error.retryable) == (400, "invalid_symbol", False)
    assert error.detail.startswith("The symbol is not valid: use 1 to 15 of")
