"""Fake secrets with one job: to be found if anything ever prints one."""

CANARIES = {
    "OPENAI_API_KEY": "sk-canary-9f27c1d4e8b35a60",
    "ALPHA_VANTAGE_API_KEY": "CANARYAV71K3ZQ5X",
    "GROK_API_KEY": "xai-canary-41b7d09c2f6e",
    "MONGODB_PASSWORD": "canary-mongo-58d1a2",
    "REDIS_PASSWORD": "canary-redis-c39be7",
    "AUTH_SIGNING_KEY": "canary-signing-key-0123456789abcdef0123456789",
}
# What the wire doubles put into the error texts of an upstream: none of it may reach a client or a log.
UPSTREAM_CANARIES = ("sk-canary-7f3a9b",)


def leaked(text: str) -> list[str]:
    """The names of the secrets that ``text`` shows."""
    named = {**CANARIES, **{f"upstream {number}": value for number, value in enumerate(UPSTREAM_CANARIES)}}
    return [name for name, value in named.items() if value in text]
