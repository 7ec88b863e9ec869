"""What is known about a request besides its body: its id, who sent it, when it came."""

import re
import secrets
import time
from dataclasses import dataclass, field

from azurefunctions.extensions.http.fastapi import Request

from functions.http.principals import ANONYMOUS, Principal

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(slots=True)
class RequestContext:
    """``principal`` is anonymous until the guard has established it."""

    request_id: str
    client: str
    principal: Principal = ANONYMOUS
    started: float = field(default_factory=time.perf_counter)

    @property
    def elapsed_ms(self) -> float:
        return 1000 * (time.perf_counter() - self.started)

    @property
    def caller(self) -> str:
        """Whom limits are counted for: the user, else the address."""
        return f"user:{self.principal.user_id}" if self.principal.user_id else f"address:{self.client}"


def context_of(request: Request) -> RequestContext:
    given = request.headers.get("x-request-id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    return RequestContext(request_id, request.client.host if request.client else "unknown")
