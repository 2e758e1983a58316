"""Whether this replica answers: the one route without an identity, for load balancers and `pumpkin up`."""

from __future__ import annotations

from typing import Any, Literal

from pumpkin_services.version import VERSION
from pumpkin_services.web import Call, Route, Wire


class Health(Wire):
    """The answer of a replica that serves requests."""

    status: Literal["ok"] = "ok"
    version: str = VERSION


def routes() -> list[Route]:
    """Return the health route."""

    async def health(_call: Call[Any, Any]) -> Health:
        return Health()

    return [
        Route(method="GET", path="/health", summary="Tell that this replica answers", scope=None, owner="any",
              endpoint=health, response=Health, signed=True, session=False)
    ]  # fmt: skip
