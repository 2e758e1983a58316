"""The routes every kind of named thing has, from one implementation."""

from __future__ import annotations

from typing import Any, Literal

from pumpkin_services.artifacts import api as uploads
from pumpkin_services.artifacts import read_api as reads
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets.models import Asset, AssetQuery, ResolveQuery, VersionReference
from pumpkin_services.assets.service import AssetService
from pumpkin_services.web import Call, Page, Route

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class _Assets:
    """The endpoints of one kind."""

    def __init__(self, service: AssetService) -> None:
        self.service = service

    async def list(self, call: Call[Any, AssetQuery]) -> Page[Any]:
        return await self.service.list(call.session, call.principal, query=call.query)

    async def create(self, call: Call[Any, Any]) -> Asset:
        asset = await self.service.create(call.session, call.principal, request=call.body)
        call.audit.update(object=f"{asset.workspace}/{asset.name}", owner=asset.workspace)
        return asset

    async def resolve(self, call: Call[Any, ResolveQuery]) -> VersionReference:
        reference = await self.service.resolve(call.session, call.principal, call.query.reference, field="reference")
        return VersionReference.model_validate(reference)

    async def get(self, call: Call[Any, Any]) -> Asset:
        asset = await self.service.get(call.session, call.principal, **_name(call))
        if asset.workspace not in call.principal.workspaces and call.principal.admin(self.service.module):
            call.audit.update(owner=asset.workspace)
        return asset

    async def patch(self, call: Call[Any, Any]) -> Asset:
        call.audit.update(owner=call.path["workspace"])
        return await self.service.patch(
            call.session, call.principal, **_name(call), request=call.body, if_match=call.if_match
        )

    async def delete(self, call: Call[Any, Any]) -> None:
        call.audit.update(owner=call.path["workspace"])
        await self.service.delete(call.session, call.principal, **_name(call))

    async def share(self, call: Call[Any, Any]) -> Asset:
        call.audit.update(owner=call.path["workspace"], shared=call.path["target"])
        return await self.service.share(call.session, call.principal, **_name(call), target=call.path["target"])

    async def unshare(self, call: Call[Any, Any]) -> Asset:
        call.audit.update(owner=call.path["workspace"], unshared=call.path["target"])
        return await self.service.unshare(call.session, call.principal, **_name(call), target=call.path["target"])


def routes(service: AssetService, artifacts: ArtifactService) -> list[Route]:
    """Return every route of `service.kind`: the named things, their versions, uploads and reads."""
    do = _Assets(service)
    kind, module = service.kind, service.module
    one = f"/{module}/{{workspace}}/{{name}}"

    def route(method: Method, path: str, summary: str, endpoint: Any, **more: Any) -> Route:
        verb, owner = ("read", "visible") if method == "GET" else ("write", "member")
        more = {"scope": f"{module}:{verb}", "owner": owner} | more
        return Route(method=method, path=path, summary=summary, endpoint=endpoint, **more)

    asset = service.wire
    own = [
        route("GET", f"/{module}", f"List {module}", do.list, query=service.wire_query, response=Page[asset]),
        route(
            "POST", f"/{module}", f"Make a {kind}", do.create, request=service.wire_create, response=asset, status=201
        ),
        route(
            "GET",
            f"/{module}/resolve",
            "Find the version a reference means",
            do.resolve,
            query=ResolveQuery,
            response=VersionReference,
        ),
        route("GET", one, f"Get a {kind}", do.get, response=asset),
        route("PATCH", one, f"Change a {kind}", do.patch, request=service.wire_patch, response=asset),
        route("DELETE", one, f"Delete a {kind} with all its versions", do.delete),
        route("PUT", f"{one}/shares/{{target}}", f"Share a {kind} with a workspace", do.share, response=asset),
        route("DELETE", f"{one}/shares/{{target}}", "End the sharing with a workspace", do.unshare, response=asset),
    ]
    return own + uploads.routes(artifacts, service) + reads.routes(artifacts, service)


def _name(call: Call[Any, Any]) -> dict[str, str]:
    return {"workspace": call.path["workspace"], "name": call.path["name"]}
