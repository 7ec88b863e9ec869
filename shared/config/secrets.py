"""Where secrets come from when the environment does not hold them."""

from typing import Protocol


class SecretSource(Protocol):
    """A store of secrets by the name of their environment variable."""

    def get(self, name: str) -> str | None:
        """The secret, or None when the store does not hold it. Raises ``SecretStoreUnavailable`` when it cannot say."""
        ...


class SecretStoreUnavailable(Exception):
    """The store could not be asked; says nothing about whether the secret exists."""


class NoSecretSource:
    """Used where no store is configured: every secret is absent."""

    def get(self, name: str) -> str | None:  # noqa: ARG002 - the answer is the same for every name
        return None
