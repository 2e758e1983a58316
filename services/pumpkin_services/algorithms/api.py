"""The routes of algorithms."""

from __future__ import annotations

from pumpkin_services.algorithms.service import AlgorithmService
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets import api as assets
from pumpkin_services.web import Route


def routes(service: AlgorithmService, artifacts: ArtifactService) -> list[Route]:
    """Return the routes below `/algorithms`."""
    return assets.routes(service, artifacts)
