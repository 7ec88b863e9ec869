"""Microsoft Entra ID in place of a Redis password: the user is the object id, the password a token of an hour."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any, Protocol

from shared.cache.config import Credential, CredentialSource

_SCOPE = "https://redis.azure.com/.default"


class TokenCredential(Protocol):
    """What azure-identity's synchronous credentials have in common."""

    def get_token(self, *scopes: str) -> Any: ...


def entra_credentials(credential: TokenCredential) -> CredentialSource:
    """Asks beside the event loop: the token request of the azure libraries would stop it."""

    async def source() -> Credential:
        token = await asyncio.to_thread(credential.get_token, _SCOPE)
        return Credential(_object_id(token.token), token.token, datetime.fromtimestamp(token.expires_on, UTC))

    return source


def _object_id(token: str) -> str:
    """Read, not verified: Redis verifies the token, we only have to say whose it is."""
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"])
