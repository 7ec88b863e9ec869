"""Access keys for `--enable-auth`, so that an app's auth levels can be tried before they are deployed."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from devhost.functions import AuthLevel

MASTER_VARIABLE = "DEVHOST_MASTER_KEY"
FUNCTION_VARIABLE = "DEVHOST_FUNCTION_KEY"


@dataclass(frozen=True)
class Keys:
    """One master key and one key for every function; `generated` holds those that the user cannot know
    yet, by variable."""

    master: str
    function: str
    generated: Mapping[str, str] = field(default_factory=dict)

    def level_of(self, presented: str | None) -> AuthLevel:
        """What the presented key allows; no key, an empty one and an unknown one are anonymous."""
        given = (presented or "").encode()
        is_master = hmac.compare_digest(given, self.master.encode())
        is_function = hmac.compare_digest(given, self.function.encode())
        if is_master:
            return AuthLevel.ADMIN
        return AuthLevel.FUNCTION if is_function else AuthLevel.ANONYMOUS


def load_keys(environ: Mapping[str, str]) -> Keys:
    """From the environment, else random."""
    generated = {
        name: secrets.token_urlsafe(32) for name in (MASTER_VARIABLE, FUNCTION_VARIABLE) if not environ.get(name)
    }
    known = {**environ, **generated}
    return Keys(known[MASTER_VARIABLE], known[FUNCTION_VARIABLE], generated)


def presented_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The header decides when it is there, even if empty; only then the query."""
    key = headers.get("x-functions-key")
    return query.get("code") if key is None else key
