"""Who is calling."""

from dataclasses import dataclass
from typing import Literal

from azurefunctions.extensions.http.fastapi import Request

from shared.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Principal:
    """``user_id`` is None for anonymous callers."""

    kind: Literal["anonymous", "user", "admin"]
    user_id: str | None = None


ANONYMOUS = Principal("anonymous")


def principal_of(request: Request) -> Principal:
    """The caller. No sign-in exists in this version, so no token can be verified, and an unverified one is refused
    rather than ignored: a client that believes it is signed in must learn that it is not."""
    if request.headers.get("authorization") or request.headers.get("x-authorization"):
        raise Unauthenticated("The token cannot be verified: sign-in is not available here. Call without a token.")
    return ANONYMOUS
