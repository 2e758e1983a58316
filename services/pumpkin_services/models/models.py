"""Wire models of models and of where they come from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from pumpkin_services.assets.models import Asset, AssetCreate, AssetPatch, AssetQuery, Word
from pumpkin_services.web.wire import Wire


class Model(Asset):
    """A trained model. `framework` is free text."""

    framework: str


class ModelCreate(AssetCreate):
    """Makes a model."""

    framework: Word = ""


class ModelPatch(AssetPatch):
    """Changes a model."""

    framework: Word | None = None


class ModelQuery(AssetQuery):
    """Filters models."""

    framework: str | None = Field(default=None, max_length=64, description="Keep this framework.")


class Lineage(Wire):
    """Where a model version comes from: references as they stood when the job ran. Empty where nothing was given."""

    job: str = Field(default="", description="Id of the job that made it; empty for an uploaded version.")
    job_name: str = ""
    attempt: int | None = None
    code: str = Field(default="", description="`workspace/name@version` of the algorithm.")
    datasets: list[str] = Field(default=[], description="`workspace/name@version` of each dataset.")
    models: list[str] = Field(default=[], description="`workspace/name@version` of each model it began from.")
    environment: str = Field(default="", description="`workspace/name@version`, with the lock's or image's digest.")
    parameters: dict[str, Any] = Field(default={}, description="Command, arguments and variables the job was given.")
    metrics: dict[str, float] = Field(default={}, description="The last value of each metric.")
    created: datetime | None = None
