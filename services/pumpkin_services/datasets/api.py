"""The routes of datasets."""

from __future__ import annotations

from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets import api as assets
from pumpkin_services.datasets.service import DatasetService
from pumpkin_services.web import Route


def routes(service: DatasetService, artifacts: ArtifactService) -> list[Route]:
    """Return the routes below `/datasets`."""
    return assets.routes(service, artifacts)
