"""The base of what the API answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """One answer. A field the client does not know yet is left out; building validators waits until one is used."""

    model_config = ConfigDict(extra="ignore", defer_build=True)
