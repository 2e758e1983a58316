"""Routes of resources: specs, pools, nodes, limits and what is used of them."""

from __future__ import annotations

from typing import Any

from pumpkin_services.resources.load import latest_loads, node_loads
from pumpkin_services.resources.models import (
    Drain,
    EffectiveLimits,
    Limit,
    LimitQuery,
    LimitValues,
    LoadQuery,
    Node,
    NodeLoads,
    NodePatch,
    Pool,
    PoolCreate,
    PoolPatch,
    Spec,
    SpecCreate,
    SpecPatch,
    SpecQuery,
    Usage,
)
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.web import Call, Page, PageQuery, Route

READ, ADMIN = "resources:read", "resources:admin"


def routes(service: ResourceService) -> list[Route]:
    """Return the routes over `service`."""
    return _specs(service) + _pools(service) + _nodes(service) + _limits(service)


def _specs(service: ResourceService) -> list[Route]:
    async def list_specs(call: Call[None, SpecQuery]) -> Page[Spec]:
        return await service.list_specs(call.session, call.principal, query=call.query)

    async def create(call: Call[SpecCreate, None]) -> Spec:
        call.audit["object"] = call.body.name
        return await service.create_spec(call.session, call.principal, spec=call.body)

    async def get(call: Call[None, None]) -> Spec:
        return await service.get_spec(call.session, call.principal, name=call.path["spec"])

    async def patch(call: Call[SpecPatch, None]) -> Spec:
        call.audit.update(call.body.model_dump(exclude_none=True))
        return await service.patch_spec(
            call.session, call.principal, name=call.path["spec"], patch=call.body, if_match=call.if_match
        )

    async def delete(call: Call[None, None]) -> None:
        await service.delete_spec(call.session, call.principal, name=call.path["spec"], if_match=call.if_match)

    return [
        _route(
            "GET", "/resources/specs", "List the specs you may use", list_specs, query=SpecQuery, response=Page[Spec]
        ),
        _route("POST", "/resources/specs", "Add a spec", create, request=SpecCreate, response=Spec, status=201),
        _route("GET", "/resources/specs/{spec}", "Show a spec", get, response=Spec),
        _route("PATCH", "/resources/specs/{spec}", "Change a spec", patch, request=SpecPatch, response=Spec),
        _route("DELETE", "/resources/specs/{spec}", "Remove a spec", delete),
    ]


def _pools(service: ResourceService) -> list[Route]:
    async def list_pools(call: Call[None, PageQuery]) -> Page[Pool]:
        return await service.list_pools(call.session, call.principal, query=call.query)

    async def create(call: Call[PoolCreate, None]) -> Pool:
        call.audit["object"] = call.body.name
        return await service.create_pool(call.session, call.principal, pool=call.body)

    async def get(call: Call[None, None]) -> Pool:
        return await service.get_pool(call.session, call.principal, name=call.path["pool"])

    async def patch(call: Call[PoolPatch, None]) -> Pool:
        call.audit.update(call.body.model_dump(exclude_none=True))
        return await service.patch_pool(
            call.session, call.principal, name=call.path["pool"], patch=call.body, if_match=call.if_match
        )

    async def delete(call: Call[None, None]) -> None:
        await service.delete_pool(call.session, call.principal, name=call.path["pool"], if_match=call.if_match)

    return [
        _route(
            "GET", "/resources/pools", "List the pools you may use", list_pools, query=PageQuery, response=Page[Pool]
        ),
        _route("POST", "/resources/pools", "Add a pool", create, request=PoolCreate, response=Pool, status=201),
        _route("GET", "/resources/pools/{pool}", "Show a pool", get, response=Pool),
        _route("PATCH", "/resources/pools/{pool}", "Change a pool", patch, request=PoolPatch, response=Pool),
        _route("DELETE", "/resources/pools/{pool}", "Remove a pool", delete),
    ]


def _nodes(service: ResourceService) -> list[Route]:
    async def list_nodes(call: Call[None, PageQuery]) -> Page[Node]:
        usage = await service.usage(call.session)
        return await service.nodes.list_nodes(call.session, call.principal, query=call.query, usage=usage)

    async def get(call: Call[None, None]) -> Node:
        usage = await service.usage(call.session)
        return await service.nodes.get_node(call.session, name=call.path["node"], usage=usage)

    async def patch(call: Call[NodePatch, None]) -> Node:
        call.audit.update(call.body.model_dump(exclude_unset=True))
        await service.nodes.patch_node(
            call.session, call.principal, name=call.path["node"], patch=call.body, if_match=call.if_match
        )
        return await get(call)  # pyright: ignore[reportArgumentType]

    async def drain(call: Call[Drain, None]) -> Node:
        return await set_drained(call, drained=True, reason=call.body.reason)

    async def undrain(call: Call[None, None]) -> Node:
        return await set_drained(call, drained=False, reason="")

    async def set_drained(call: Call[Any, None], *, drained: bool, reason: str) -> Node:
        await service.nodes.drain(
            call.session,
            call.principal,
            name=call.path["node"],
            drained=drained,
            reason=reason,
            if_match=call.if_match,
        )
        return await get(call)

    async def forget(call: Call[None, None]) -> None:
        await service.nodes.forget(call.session, call.principal, name=call.path["node"], if_match=call.if_match)

    async def usage(call: Call[None, None]) -> Usage:
        return Usage(items=await service.usage(call.session), nodes=await latest_loads(call.session))

    async def loads(call: Call[None, LoadQuery]) -> NodeLoads:
        node = await service.nodes.get_node(call.session, name=call.path["node"], usage=())
        return await node_loads(call.session, node=node.name, hours=call.query.hours)

    return [
        _route(
            "GET",
            "/resources/nodes",
            "List nodes and what is used of them",
            list_nodes,
            query=PageQuery,
            response=Page[Node],
        ),
        _route("GET", "/resources/nodes/{node}", "Show a node", get, response=Node),
        _route(
            "PATCH",
            "/resources/nodes/{node}",
            "Lower what workloads may have of a node",
            patch,
            request=NodePatch,
            response=Node,
        ),
        _route(
            "POST", "/resources/nodes/{node}/drain", "Give a node no new workloads", drain, request=Drain, response=Node
        ),
        _route("POST", "/resources/nodes/{node}/undrain", "Give a node workloads again", undrain, response=Node),
        _route("DELETE", "/resources/nodes/{node}", "Forget a node that is gone", forget),
        _route(
            "GET",
            "/resources/nodes/{node}/usage",
            "Show what a node's workloads used",
            loads,
            query=LoadQuery,
            response=NodeLoads,
            scope=ADMIN,
        ),
        _route("GET", "/resources/usage", "Show who uses what right now", usage, response=Usage, scope=ADMIN),
    ]


def _limits(service: ResourceService) -> list[Route]:
    async def list_limits(call: Call[None, LimitQuery]) -> Page[Limit]:
        return await service.limits.list_limits(call.session, call.principal, query=call.query)

    async def mine(call: Call[None, None]) -> EffectiveLimits:
        return await service.limits.mine(call.session, call.principal)

    async def put(call: Call[LimitValues, None]) -> Limit:
        call.audit.update(call.body.model_dump())
        return await service.limits.set_limit(
            call.session,
            call.principal,
            kind=call.path["kind"],
            subject=call.path["subject"],
            values=call.body,
            if_match=call.if_match,
        )

    async def delete(call: Call[None, None]) -> None:
        await service.limits.unset_limit(
            call.session, call.principal, kind=call.path["kind"], subject=call.path["subject"], if_match=call.if_match
        )

    path = "/resources/limits/{kind}/{subject}"
    return [
        _route(
            "GET",
            "/resources/limits",
            "List the limits that are set",
            list_limits,
            query=LimitQuery,
            response=Page[Limit],
            scope=ADMIN,
        ),
        _route(
            "GET", "/resources/limits/mine", "Show your limits and your workspaces'", mine, response=EffectiveLimits
        ),
        _route(
            "PUT",
            path,
            "Set the limits of a user, a workspace or the default '*'",
            put,
            request=LimitValues,
            response=Limit,
        ),
        _route("DELETE", path, "Forget the limits set for one", delete),
    ]


def _route(method: Any, path: str, summary: str, endpoint: Any, *, scope: str | None = None, **rest: Any) -> Route:
    chosen = scope or (READ if method == "GET" else ADMIN)
    owner = "admin" if chosen == ADMIN else "visible"
    return Route(method=method, path=path, summary=summary, endpoint=endpoint, scope=chosen, owner=owner, **rest)
