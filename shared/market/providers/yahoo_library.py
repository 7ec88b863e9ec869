"""The one place that touches yfinance: loads it late, sets it up once per process, and translates its failures."""

import atexit
import json
import logging
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable
from types import ModuleType

from shared.market.provider import (
    MarketDataError,
    NotOffered,
    ProviderDown,
    ProviderMalformed,
    ProviderRateLimited,
    UnknownSymbol,
)

NAME = "yahoo"

logger = logging.getLogger(__name__)

_QUIET_LOGGERS = ("yfinance", "curl_cffi", "peewee")
"""Their lines carry URLs and upstream text."""

_lock = threading.Lock()
_loaded: ModuleType | None = None


def is_loaded() -> bool:
    return _loaded is not None


def load(proxy_url: str | None = None) -> ModuleType:
    """Import and set up yfinance on first use; takes about a second then and blocks, so call it in a worker thread.

    yfinance keeps one configuration per process: a proxy given here applies to every provider of the process.
    """
    global _loaded  # noqa: PLW0603 - the state it guards is yfinance's own, and global as well
    with _lock:
        if _loaded is None:
            _loaded = _set_up()
        if proxy_url is not None:
            _loaded.config.network.proxy = proxy_url
        return _loaded


def call[T](operation: str, job: Callable[[ModuleType], T], proxy_url: str | None = None) -> T:
    """Run ``job`` with yfinance in the current thread; raises only ``MarketDataError``, without the library's text."""
    try:
        library = load(proxy_url)
    except Exception as error:  # noqa: BLE001 - a broken installation must not look like a bug of the caller
        reason = type(error).__name__
        logger.error("yahoo library cannot be loaded: %s", reason)  # noqa: TRY400 - a traceback would carry local paths
    else:
        return _call(operation, job, library)
    raise ProviderDown(NAME, "the client library cannot be loaded")


def _call[T](operation: str, job: Callable[[ModuleType], T], library: ModuleType) -> T:
    # Responses, errors included, are kept by URL without expiry: one 503 would be replayed for ever.
    _forget_responses(library)
    try:
        return job(library)
    except MarketDataError as error:
        failure, reason = error, "unusable payload"
    except Exception as error:  # noqa: BLE001 - classified below and raised as one of ours
        failure, reason = classify(error, library), type(error).__name__
    _forget_responses(library)
    level = logging.INFO if isinstance(failure, UnknownSymbol | NotOffered) else logging.WARNING
    logger.log(level, "yahoo %s failed: %s (%s)", operation, type(failure).__name__, reason)
    # Raised outside the handlers, so that no context leads from our error to the library's message.
    raise failure


def release_thread() -> None:
    """Close the database connections that yfinance opened for the current thread, which is about to end."""
    if _loaded is not None:
        for cache in (_loaded.cache.get_tz_cache(), _loaded.cache.get_cookie_cache()):
            if (database := cache.get_db()) is not None:
                database.close()


def classify(error: Exception, library: ModuleType) -> MarketDataError:
    """The reaction to an exception of yfinance 1.7 or of its HTTP client; everything unforeseen is malformed."""
    kinds = library.exceptions
    status = _status_of(error)
    if status == 404 and "no fundamentals data" in error.response.text.lower():  # type: ignore[attr-defined]
        return NotOffered(NAME, "no key figures for this instrument")
    if status is not None or isinstance(error, kinds.YFRateLimitError):
        return _from_status(status or 429)
    failure: MarketDataError
    match error:
        case kinds.YFPricesMissingError():
            failure = _from_missing_prices(error.yahoo_reason)
        case kinds.YFTzMissingError():
            failure = _unlisted()
        case kinds.YFDataException():
            failure = ProviderDown(NAME, "maintenance notice instead of data")
        case json.JSONDecodeError():
            failure = ProviderDown(NAME, "error page instead of data")
        case OSError():  # the HTTP client's errors derive from it
            failure = ProviderDown(NAME, "connection failed or timed out")
        case _:
            failure = ProviderMalformed(NAME, "answer of unexpected shape")
    return failure


def _from_status(status: int) -> MarketDataError:
    if status == 404:
        return _unlisted()
    if status == 429:
        return ProviderRateLimited(NAME, "too many requests")
    return ProviderDown(NAME, f"HTTP status {status}")


def _from_missing_prices(upstream_reason: str | None) -> MarketDataError:
    # The same exception stands for "no such symbol", for an error that Yahoo wrapped into its usual JSON and for an
    # answer without rows; only the first says something about the symbol.
    if upstream_reason is not None and "no data found" in upstream_reason.lower():
        return _unlisted()
    return ProviderMalformed(NAME, "no prices in the answer")


def _unlisted() -> UnknownSymbol:
    return UnknownSymbol(NAME, "the symbol is not listed")


def _status_of(error: Exception) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) and status >= 400 else None


def _forget_responses(library: ModuleType) -> None:
    library.data.YfData.cache_get.cache_clear()


def _set_up() -> ModuleType:
    import pandas as pd
    import yfinance

    yf: ModuleType = yfinance

    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # yfinance 1.7 still uses arguments that pandas 4 will drop; nothing that a reader of our output could act on.
    warnings.filterwarnings("ignore", category=pd.errors.Pandas4Warning, module=r"yfinance\.")
    yf.config.debug.hide_exceptions = False  # hidden, an outage is an empty frame and looks like an unknown symbol
    _use_private_cache_folder(yf)
    return yf


def _use_private_cache_folder(library: ModuleType) -> None:
    """Processes that share the folder break each other's start; an unwritable one doubles the requests.

    yfinance cannot move its databases after first use, so the folder lives as long as the process.
    """
    folder = tempfile.mkdtemp(prefix="yfinance-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library.set_tz_cache_location(folder)
    # Created here, under the lock: the first queries of several threads would create the tables at the same time.
    library.cache.get_tz_cache().lookup("")
    library.cache.get_cookie_cache().lookup("")
