"""Names of cached values: what is different has different names, also in Redis and whatever users put into them."""

import hashlib
from dataclasses import dataclass
from urllib.parse import quote

_MAX_NAMESPACE = 100
_MAX_PARTS = 200


@dataclass(frozen=True, slots=True)
class CacheKey:
    """``parts`` within ``namespace``. A namespace is what is invalidated together: ``quote``, ``user:42``.

    Parts may be any text. Normalise before (``aapl`` and ``AAPL`` are two keys) and validate at the edge.
    """

    namespace: str
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.namespace:
            raise ValueError("a cache key needs a namespace")
        if type(self.parts) is not tuple:
            raise TypeError(f"the parts of a cache key are a tuple, not {type(self.parts).__name__}")


@dataclass(frozen=True, slots=True)
class RedisNames:
    """The names of one key in Redis. All are in one hash slot: the namespace is the hash tag."""

    value: str
    lease: str
    version: str


def redis_names(prefix: str, key: CacheKey) -> RedisNames:
    """Injective and of bounded length: what is too long is replaced by its SHA-256."""
    parts = _parts(key.parts)
    space = f"{prefix}{{{_space(key.namespace)}}}"
    return RedisNames(f"{space}:v:{parts}", f"{space}:l:{parts}", f"{space}:n")


def version_name(prefix: str, namespace: str) -> str:
    return f"{prefix}{{{_space(namespace)}}}:n"


def _parts(parts: tuple[str, ...]) -> str:
    if sum(map(len, parts)) > _MAX_PARTS:
        return _digest(repr(parts))
    # The terminator after each part tells () from ("",), and ("a", "b") from ("a:b",), whose colon is quoted.
    text = "".join(f"{_quoted(part)}:" for part in parts)
    return text if len(text) <= _MAX_PARTS else _digest(repr(parts))


def _space(namespace: str) -> str:
    text = _quoted(namespace[: _MAX_NAMESPACE + 1], safe=":")
    return text if len(text) <= _MAX_NAMESPACE else _digest(repr(namespace))


def _quoted(text: str, safe: str = "") -> str:
    if text.isascii() and text.isalnum():
        return text
    # JSON may carry lone surrogates; they must become a name like everything else.
    return quote(text, safe=safe, errors="surrogatepass")


def _digest(text: str) -> str:
    # "#" never comes out of quoting, so a digest cannot meet a plain name.
    return "#" + hashlib.sha256(text.encode()).hexdigest()
