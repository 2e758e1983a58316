"""The rules of datasets: the shared ones."""

from __future__ import annotations

from pumpkin_services.assets.service import AssetService
from pumpkin_services.datasets.models import Dataset, DatasetCreate, DatasetPatch, DatasetQuery


class DatasetService(AssetService):
    """Datasets, named and versioned."""

    kind = "dataset"
    wire = Dataset
    wire_create = DatasetCreate
    wire_patch = DatasetPatch
    wire_query = DatasetQuery
    facets = ("type",)
