"""Field types of the contract that several routes share."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with ``Z``; milliseconds only where there are any."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


UtcMoment = Annotated[AwareDatetime, PlainSerializer(utc_text, return_type=str, when_used="json")]


class RequestModel(BaseModel):
    """Base of everything a client sends: unknown fields are refused, nothing is coerced silently."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ResponseModel(BaseModel):
    """Base of everything a client receives; NaN and infinity leave as null."""

    model_config = ConfigDict(ser_json_inf_nan="null", from_attributes=True)
