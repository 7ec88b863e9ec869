"""Which tool schemas a provider can enforce token by token; others are sent without that promise.

Rules of OpenAI's structured outputs: every object closed, every property required, and only known keywords.
"""

from typing import Any

_KEYWORDS = frozenset(
    {
        "type", "properties", "required", "additionalProperties", "description", "title", "enum", "items", "anyOf",
        "minimum", "maximum", "minItems", "maxItems", "pattern",
    }
)  # fmt: skip


def is_strict(schema: Any) -> bool:
    """Whether ``schema`` may be sent with ``strict: true``. False is always safe."""
    if not isinstance(schema, dict) or not _KEYWORDS.issuperset(schema):
        return False
    properties = schema.get("properties", {})
    is_object = schema.get("type") == "object" or bool(properties)
    if is_object and not (
        schema.get("additionalProperties") is False and set(schema.get("required", ())) == {*properties}
    ):
        return False
    inner = [*properties.values(), *schema.get("anyOf", ())]
    if "items" in schema:
        inner.append(schema["items"])
    return all(is_strict(part) for part in inner)
