"""Which environment variable sets what: the only module that reads the process environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "list"]


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that sets the dotted ``path`` of the settings tree. ``secret`` ones count in the mode
    ``secrets-only`` and may come from Key Vault; a ``list`` is separated by commas."""

    name: str
    path: str
    secret: bool = False
    kind: Kind = "text"

    def parse(self, raw: str) -> object:
        if self.kind == "list":
            return [item.strip() for item in raw.split(",") if item.strip()]
        return raw.strip()


VARIABLES: tuple[Variable, ...] = (
    Variable("MODEL_PROVIDER", "model.provider"),
    Variable("MODEL_NAME", "model.name"),
    Variable("MODEL_ALLOW_FALLBACK", "model.allow_fallback"),
    Variable("MODEL_FALLBACK_ORDER", "model.fallback_order", kind="list"),
    Variable("MODEL_DEBUG_PROMPT", "model.debug_prompt"),
    Variable("OPENAI_API_KEY", "model.providers.openai.api_key", secret=True),
    Variable("OPENAI_BASE_URL", "model.providers.openai.base_url"),
    Variable("OPENAI_MODEL", "model.providers.openai.model"),
    Variable("OPENAI_WIRE", "model.providers.openai.wire"),
    Variable("MARKET_DATA_PROVIDERS", "market.providers", kind="list"),
    Variable("YAHOO_PROXY_URL", "market.yahoo_proxy_url"),
    Variable("ALPHA_VANTAGE_API_KEY", "market.alpha_vantage_api_key", secret=True),
    Variable("ALPHA_VANTAGE_BASE_URL", "market.alpha_vantage_base_url"),
    Variable("REDIS_HOST", "redis.host"),
    Variable("REDIS_PORT", "redis.port"),
    Variable("REDIS_DB", "redis.db"),
    Variable("REDIS_PASSWORD", "redis.password", secret=True),
    Variable("REDIS_SSL", "redis.ssl"),
    Variable("AUTH_MODE", "auth.mode"),
    Variable("AUTH_ANONYMOUS_CHAT", "auth.anonymous_chat"),
    Variable("RATE_LIMIT_ANONYMOUS_CHAT", "rate_limits.anonymous_chat"),
    Variable("RATE_LIMIT_USER_CHAT", "rate_limits.user_chat"),
    Variable("RATE_LIMIT_API", "rate_limits.api"),
    Variable("CORS_ALLOWED_ORIGINS", "http.cors_allowed_origins", kind="list"),
    Variable("LOG_LEVEL", "logging.level"),
)


def process_environment() -> Mapping[str, str]:
    """A snapshot of the environment, so that a later change cannot make two parts of the app disagree."""
    return dict(os.environ)
