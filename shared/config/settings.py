"""The one tree that every setting lives in; whatever is not declared here is refused."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

Environment = Literal["local", "k8s-local", "staging", "production"]
OverrideMode = Literal["all", "secrets-only", "none"]
ModelWire = Literal["responses", "chat", "auto", "offline"]
MarketProviderName = Literal["yahoo", "alpha_vantage", "sample"]

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
PerMinute = Annotated[int, Field(ge=0, le=10_000_000)]


def _is_web_address(value: str) -> bool:
    # urllib's own errors repeat the part that they object to, and a URL may hold a password.
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        return False
    has_credentials = parts.username is not None or parts.password is not None
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port_is_valid and not has_credentials


def _http_url(value: str) -> str:
    if not _is_web_address(value):
        raise ValueError("must be an http(s) URL with a host and without credentials")
    return value


def _origin(value: str) -> str:
    if value != "*" and not (_is_web_address(value) and value == "{0.scheme}://{0.netloc}".format(urlsplit(value))):
        raise ValueError("must be '*' or an exact origin such as https://app.example.com, without a path")
    return value


def _sendable(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError("must be printable ASCII without spaces or line breaks inside")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Origin = Annotated[str, AfterValidator(_origin)]
ApiKey = Annotated[SecretStr, AfterValidator(_sendable)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class HttpSettings(_Section):
    max_body_bytes: Count
    max_chat_body_bytes: Count
    max_json_depth: Annotated[int, Field(ge=1, le=500)]
    heartbeat_s: Annotated[float, Field(gt=0, le=10)]
    max_concurrent_chats: Count
    cors_allowed_origins: tuple[Origin, ...]


class AuthSettings(_Section):
    mode: Literal["local"]
    anonymous_chat: bool


class RateLimitSettings(_Section):
    """Requests per minute and caller; 0 means no limit."""

    anonymous_chat: PerMinute
    user_chat: PerMinute
    api: PerMinute


class ModelBudgets(_Section):
    connect: Seconds
    first_token: Seconds
    idle: Seconds
    total_stream: Seconds
    total_json: Seconds


class ModelProviderSettings(_Section):
    """``base_url`` None means the SDK's default; ``models`` is what the model list shows when nobody can be asked.

    ``wire`` ``auto`` means Responses, and Chat Completions where the server does not have it.
    """

    wire: ModelWire
    base_url: HttpUrl | None
    model: Annotated[str, Field(min_length=1, max_length=200)]
    models: tuple[str, ...] = ()
    api_key: ApiKey | None = None


class ModelSettings(_Section):
    providers: dict[str, ModelProviderSettings]
    provider: str
    name: str | None
    allow_fallback: bool
    fallback_order: tuple[str, ...]
    debug_prompt: bool
    max_output_tokens: Count
    budgets: ModelBudgets

    @field_validator("provider")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        # The names come from the raw tree: a mistake inside one provider must not hide a mistake in a name.
        known = (info.context or {}).get("model_providers", ())
        if value not in known:
            raise ValueError(f"not a configured provider; use one of {', '.join(sorted(known))}")
        return value

    @field_validator("fallback_order")
    @classmethod
    def _known_and_distinct(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for name in value:
            cls._known(name, info)
        return tuple(dict.fromkeys(value))


class AgentSettings(_Section):
    max_rounds: Annotated[int, Field(ge=1, le=20)]
    max_tool_calls: Annotated[int, Field(ge=1, le=100)]
    tool_timeout_s: Seconds


class MarketSettings(_Section):
    """``providers`` is the order in which sources are asked; one without the key it needs is left out."""

    providers: Annotated[tuple[MarketProviderName, ...], Field(min_length=1)]
    yahoo_timeout_s: Seconds
    yahoo_first_call_timeout_s: Seconds
    yahoo_workers: Annotated[int, Field(ge=1, le=64)]
    yahoo_proxy_url: HttpUrl | None = None
    alpha_vantage_api_key: ApiKey | None = None
    alpha_vantage_base_url: HttpUrl
    alpha_vantage_timeout_s: Seconds
    alpha_vantage_min_interval_s: Annotated[float, Field(ge=0, le=60)]


class TtlSettings(_Section):
    """Seconds by kind of data."""

    price: Seconds
    historical: Seconds
    fundamental: Annotated[float, Field(gt=0, le=604_800)]
    technical: Seconds
    news: Seconds
    reports: Annotated[float, Field(gt=0, le=604_800)]
    unknown_symbol: Seconds
    search: Seconds


class RedisSettings(_Section):
    """``host`` None means that there is no Redis, and every instance caches for itself."""

    host: Annotated[str, Field(min_length=1, max_length=253)] | None
    port: Annotated[int, Field(ge=1, le=65_535)]
    db: Annotated[int, Field(ge=0, le=1000)]
    ssl: bool
    password: ApiKey | None = None


class CacheSettings(_Section):
    """The level in this process: entries and bytes at most."""

    max_entries: Count
    max_bytes: Annotated[int, Field(ge=100_000, le=4_000_000_000)]
    ttl_s: TtlSettings


class LoggingSettings(_Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Settings(_Section):
    """Everything the app may be told, checked. Secrets are ``SecretStr`` and print as stars."""

    environment: Environment
    override_mode: OverrideMode
    http: HttpSettings
    auth: AuthSettings
    rate_limits: RateLimitSettings
    model: ModelSettings
    agent: AgentSettings
    market: MarketSettings
    cache: CacheSettings
    redis: RedisSettings
    logging: LoggingSettings
