"""The composition root: the one place that knows concrete classes; builds everything once per cold start."""

import logging
import threading
from dataclasses import dataclass
from functools import cache

from shared.cache.backend import CacheBackend
from shared.cache.config import CacheConfig, RedisConfig
from shared.clock import SYSTEM_CLOCK, Clock
from shared.config import ConfigError, ConfigLoader, Settings
from shared.llm.factory import ModelClientFactory
from shared.market.calendars import session_of
from shared.market.data_manager import DataManager, Ttls
from shared.market.provider import MarketDataProvider
from shared.observability.logging import configure_logging
from shared.resilience.rate_limit import RateLimiter
from shared.services.factory import ServiceFactory
from shared.services.idempotency import IdempotencyStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """What a request can reach."""

    settings: Settings
    clock: Clock
    services: ServiceFactory
    models: ModelClientFactory
    market: DataManager
    cache: CacheBackend
    rate_limiter: RateLimiter
    idempotency: IdempotencyStore

    async def aclose(self) -> None:
        await self.models.clear_cache()
        await self.market.aclose()
        await self.cache.aclose()


def build_app(settings: Settings, *, clock: Clock = SYSTEM_CLOCK) -> App:
    """Wires an app; connects to nothing and imports nothing heavy."""
    cache = CacheBackend.from_config(_cache_config(settings), clock=clock)
    ttl = settings.cache.ttl_s
    market = DataManager(
        _market_providers(settings, clock),
        cache=cache,
        ttls=Ttls(
            price=ttl.price,
            historical=ttl.historical,
            fundamental=ttl.fundamental,
            news=ttl.news,
            unknown_symbol=ttl.unknown_symbol,
            search=ttl.search,
        ),
        clock=clock,
        sessions=session_of,
    )
    models = ModelClientFactory(settings.model)
    return App(
        settings=settings,
        clock=clock,
        services=ServiceFactory(settings, market=market, models=models, cache=cache, clock=clock),
        models=models,
        market=market,
        cache=cache,
        rate_limiter=RateLimiter(clock),
        idempotency=IdempotencyStore(pending_s=settings.model.budgets.total_stream + 30, clock=clock),
    )


def _cache_config(settings: Settings) -> CacheConfig:
    """Memory alone, or memory in front of the Redis of the settings."""
    redis = settings.redis
    server = None
    if redis.host is not None:
        server = RedisConfig(
            host=redis.host,
            port=redis.port,
            db=redis.db,
            password=redis.password.get_secret_value() if redis.password else None,
            ssl=redis.ssl,
        )
    return CacheConfig(
        redis=server, max_entries=settings.cache.max_entries, max_bytes=settings.cache.max_bytes, failure_hold_s=0.25
    )


def _market_providers(settings: Settings, clock: Clock) -> list[MarketDataProvider]:
    """The configured sources in order; Alpha Vantage only with a key."""
    names = list(settings.market.providers)
    if settings.market.alpha_vantage_api_key is None and "alpha_vantage" in names:
        names.remove("alpha_vantage")
        _log.info("market data source alpha_vantage is off: ALPHA_VANTAGE_API_KEY is not set")
    if not names:
        raise ConfigError(
            ["MARKET_DATA_PROVIDERS: none of them can be used; alpha_vantage needs ALPHA_VANTAGE_API_KEY"]
        )
    return [_market_provider(name, settings, clock) for name in names]


def _market_provider(name: str, settings: Settings, clock: Clock) -> MarketDataProvider:
    if name == "sample":
        from shared.market.providers.sample import SampleProvider

        return SampleProvider()
    market = settings.market
    if name == "alpha_vantage" and market.alpha_vantage_api_key is not None:
        from shared.market.providers.alpha_vantage import AlphaVantageProvider

        return AlphaVantageProvider(
            api_key=market.alpha_vantage_api_key.get_secret_value(),
            base_url=market.alpha_vantage_base_url,
            timeout_s=market.alpha_vantage_timeout_s,
            min_interval_s=market.alpha_vantage_min_interval_s,
            clock=clock,
        )
    from shared.market.providers.yahoo import YahooProvider

    return YahooProvider(
        timeout_s=market.yahoo_timeout_s,
        first_call_timeout_s=market.yahoo_first_call_timeout_s,
        max_workers=market.yahoo_workers,
        proxy_url=market.yahoo_proxy_url,
        clock=clock,
    )


@cache
def load_settings() -> Settings:
    """The settings of this process, read once. Raises ``ConfigError`` with everything that is wrong with them."""
    return ConfigLoader().load()


_lock = threading.Lock()
_app: App | None = None


def get_app() -> App:
    """The app of this process, built at the first call."""
    global _app  # noqa: PLW0603 - one app per cold start is the point
    if _app is None:
        with _lock:
            if _app is None:
                settings = load_settings()
                configure_logging(settings)
                _app = build_app(settings)
    return _app
