"""Field types of the contract that several routes share."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with ``Z``; milliseconds only where there are any."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


UtcMoment = Annotated[
    AwareDatetime,
    PlainSerializer(utc_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


def _rounded(value: float) -> float:
    return round(value, 8)


Figure = Annotated[float, AfterValidator(_rounded)]
"""A price or percentage without the noise of binary fractions: eight decimals are enough for the smallest coin."""


class RequestModel(BaseModel):
    """Base of everything a client sends: unknown fields are refused, nothing is coerced silently."""

    # Deferred builds: validators cost a few milliseconds each, and the cold start needs none of them.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, defer_build=True)


class ResponseModel(BaseModel):
    """Base of everything a client receives; NaN and infinity leave as null."""

    # Defaults are sent like all other values, so the API document must list them as required.
    model_config = ConfigDict(
        ser_json_inf_nan="null",
        from_attributes=True,
        defer_build=True,
        json_schema_serialization_defaults_required=True,
    )
