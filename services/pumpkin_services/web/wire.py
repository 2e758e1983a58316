"""The base of every wire model: unknown fields are refused, attributes of rows are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


class Wire(BaseModel):
    """A request or response body. `Model.model_validate(row)` reads a row's attributes."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, str_max_length=1_000_000)


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this time lies outside the years 1 to 9999 in UTC") from error


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A point in time somebody sends: ISO 8601 with a zone, kept in UTC."""
