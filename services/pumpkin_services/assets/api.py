"""The routes every kind of named thing has, from one implementation."""

from __future__ import annotations

from typing import Any, Literal

from pumpkin_services.artifacts import api as uploads
from pumpkin_services.artifacts import imports_api as imports
from pumpkin_services.artifacts import read_api as reads
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.assets.models import Asset, AssetQuery, ResolveQuery, VersionReference
from pumpkin_services.assets.retention import RetentionPreview, RetentionRule
from pumpkin_services.assets.service import AssetService
from pumpkin_services.takedown import TakeDown
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
        if call.body.preset is not None:
            call.audit["preset"] = call.body.preset
        return await self.service.patch(
            call.session, call.principal, **_name(call), request=call.body, if_match=call.if_match
        )

    async def set_retention(self, call: Call[RetentionRule, Any]) -> Asset:
        call.audit.update(owner=call.path["workspace"], **call.body.model_dump())
        return await self.service.set_retention(
            call.session, call.principal, **_name(call), rule=call.body, if_match=call.if_match
        )

    async def preview_retention(self, call: Call[Any, RetentionRule]) -> RetentionPreview:
        return await self.service.preview_retention(call.session, call.principal, **_name(call), rule=call.query)

    async def take_down(self, call: Call[TakeDown, Any]) -> Asset:
        call.audit.update(owner=call.path["workspace"], reason=call.body.reason)
        return await self.service.take_down(call.session, call.principal, **_name(call), reason=call.body.reason)

    async def restore(self, call: Call[Any, Any]) -> Asset:
        call.audit.update(owner=call.path["workspace"])
        return await self.service.restore(call.session, call.principal, **_name(call))

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
    admin: dict[str, Any] = {"scope": f"{module}:admin", "owner": "admin"}
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
        route(
            "PUT",
            f"{one}/retention",
            f"Set which versions of a {kind} are kept",
            do.set_retention,
            request=RetentionRule,
            response=asset,
        ),
        route(
            "GET",
            f"{one}/retention/preview",
            "Show which versions a rule would remove now",
            do.preview_retention,
            query=RetentionRule,
            response=RetentionPreview,
            owner="member",
        ),
        route(
            "POST",
            f"{one}/takedown",
            f"Hide a {kind} from all but its workspace",
            do.take_down,
            request=TakeDown,
            response=asset,
            **admin,
        ),
        route(
            "POST", f"{one}/restore", f"Show a {kind} again that was taken down", do.restore, response=asset, **admin
        ),
        route("PUT", f"{one}/shares/{{target}}", f"Share a {kind} with a workspace", do.share, response=asset),
        route("DELETE", f"{one}/shares/{{target}}", "End the sharing with a workspace", do.unshare, response=asset),
    ]
    versions = (uploads, imports, reads)
    return own + [route for module in versions for route in module.routes(artifacts, service)]


def _name(call: Call[Any, Any]) -> dict[str, str]:
    return {"workspace": call.path["workspace"], "name": call.path["name"]}
