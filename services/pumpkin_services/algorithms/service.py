"""The rules of algorithms: the shared ones."""

from __future__ import annotations

from pumpkin_services.algorithms.models import Algorithm, AlgorithmCreate, AlgorithmPatch, AlgorithmQuery
from pumpkin_services.assets.service import AssetService


class AlgorithmService(AssetService):
    """Algorithms, named and versioned."""

    kind = "algorithm"
    wire = Algorithm
    wire_create = AlgorithmCreate
    wire_patch = AlgorithmPatch
    wire_query = AlgorithmQuery
    facets = ("framework", "entrypoint")
