"""Settings that are fine on a laptop and refused in production."""

from urllib.parse import urlsplit

from shared.config.settings import Settings


def insecure_settings(settings: Settings) -> list[str]:
    """What keeps these settings from running in production; empty in every other environment."""
    if settings.environment != "production":
        return []
    origins = settings.http.cors_allowed_origins
    checks = [
        ("*" in origins, "CORS_ALLOWED_ORIGINS: '*' is refused in production; list the front end's exact origins"),
        (
            any(origin.startswith("http://") for origin in origins),
            "CORS_ALLOWED_ORIGINS: http:// origins are refused in production; use https://",
        ),
        (settings.model.debug_prompt, "MODEL_DEBUG_PROMPT: refused in production, prompts would be logged"),
        ("sample" in settings.market.providers, "MARKET_DATA_PROVIDERS: 'sample' ends in 2013, refused in production"),
        (
            settings.market.yahoo_proxy_url is not None,
            "YAHOO_PROXY_URL: refused in production, a proxy could change market data unseen",
        ),
        (
            settings.redis.host is not None and not settings.redis.ssl,
            "REDIS_SSL: refused in production without TLS, the password would be sent in clear text",
        ),
        (settings.logging.level == "DEBUG", "LOG_LEVEL: DEBUG is refused in production, libraries log request data"),
    ]
    problems = [problem for failed, problem in checks if failed]
    return problems + _clear_text_keys(settings)


def _clear_text_keys(settings: Settings) -> list[str]:
    market = settings.market
    urls = {
        f"model.providers.{name}.base_url": provider.base_url if provider.api_key else None
        for name, provider in settings.model.providers.items()
    } | {"ALPHA_VANTAGE_BASE_URL": market.alpha_vantage_base_url if market.alpha_vantage_api_key else None}
    return [
        f"{name}: http:// would send the API key in clear text; use https://"
        for name, url in urls.items()
        if url and urlsplit(url).scheme == "http"
    ]
