"""The routes of models: what every kind has, and lineage."""

from __future__ import annotations

from typing import Any

from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets import api as assets
from pumpkin_services.models.models import Lineage
from pumpkin_services.models.service import ModelService
from pumpkin_services.web import Call, Route


def routes(service: ModelService, artifacts: ArtifactService) -> list[Route]:
    """Return the routes below `/models`."""

    async def lineage(call: Call[Any, Any]) -> Lineage:
        owned = await service.readable(
            call.session, call.principal, workspace=call.path["workspace"], name=call.path["name"]
        )
        version = await artifacts.reads.find(call.session, owned=owned, number=call.path["version"])
        return await service.lineage(call.session, version_id=version.id)

    return [
        *assets.routes(service, artifacts),
        Route(
            method="GET",
            path="/models/{workspace}/{name}/versions/{version}/lineage",
            summary="Tell where a model version comes from",
            scope="models:read",
            owner="visible",
            endpoint=lineage,
            response=Lineage,
        ),
    ]
