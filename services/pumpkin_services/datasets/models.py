"""Wire models of datasets."""

from __future__ import annotations

from pydantic import Field

from pumpkin_services.assets.models import Asset, AssetCreate, AssetPatch, AssetQuery, Word


class Dataset(Asset):
    """A dataset. `type` is free text: `image`, `text`, `table`, …"""

    type: str


class DatasetCreate(AssetCreate):
    """Makes a dataset."""

    type: Word = ""


class DatasetPatch(AssetPatch):
    """Changes a dataset."""

    type: Word | None = None


class DatasetQuery(AssetQuery):
    """Filters datasets."""

    type: str | None = Field(default=None, max_length=64, description="Keep this type.")
