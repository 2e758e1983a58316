"""What the service says about itself: that it answers, and its OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from pumpkin_services.version import VERSION
from pumpkin_services.web import Call, Route, Wire
from pumpkin_services.web.openapi import openapi

BASE_PATH = "/services/pumpkin/api/v1"


class Health(Wire):
    """The answer of a replica that serves requests."""

    status: Literal["ok"] = "ok"
    version: str = VERSION


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the OpenAPI document of `routes`."""
    return openapi(routes, base_path=BASE_PATH, version=VERSION)


def with_meta(routes: Sequence[Route]) -> list[Route]:
    """Return the whole table: `routes`, and those about the table itself.

    Health is the one route that asks for no identity: load balancers have none.
    """

    async def health(_call: Call[Any, Any]) -> Health:
        return Health()

    async def describe(_call: Call[Any, Any]) -> AsyncIterator[bytes]:
        async def text() -> AsyncIterator[bytes]:
            yield json.dumps(document(table), ensure_ascii=False).encode()

        return text()

    table = [
        Route(method="GET", path="/health", summary="Tell that this replica answers", scope=None, owner="any",
              endpoint=health, response=Health, signed=True, session=False),
        Route(method="GET", path="/openapi.json", summary="Describe this API (OpenAPI 3.1)", scope=None, owner="any",
              endpoint=describe, streams="application/json", session=False),
        *routes,
    ]  # fmt: skip
    return table
