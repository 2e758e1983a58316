"""The base of every wire model: unknown fields are refused, attributes of rows are read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """A request or response body. `Model.model_validate(row)` reads a row's attributes."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, str_max_length=1_000_000)
