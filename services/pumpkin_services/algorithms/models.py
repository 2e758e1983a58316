"""Wire models of algorithms."""

from __future__ import annotations

from pydantic import Field

from pumpkin_services.assets.models import Asset, AssetCreate, AssetPatch, AssetQuery, Line, Word


class Algorithm(Asset):
    """Code to run. `framework` is free text (`pytorch`, …); `entrypoint` is the command a job offers first."""

    framework: str
    entrypoint: str


class AlgorithmCreate(AssetCreate):
    """Makes an algorithm."""

    framework: Word = ""
    entrypoint: Line = ""


class AlgorithmPatch(AssetPatch):
    """Changes an algorithm."""

    framework: Word | None = None
    entrypoint: Line | None = None


class AlgorithmQuery(AssetQuery):
    """Filters algorithms."""

    framework: str | None = Field(default=None, max_length=64, description="Keep this framework.")
