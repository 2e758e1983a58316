"""The OpenAPI 3.1 document, derived from the route table and the wire models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pumpkin_services.principal import PREFIX
from pumpkin_services.web.routes import Route

REF = "#/components/schemas/{model}"
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "reason"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence a person can act on."},
        "reason": {"type": "string", "description": "A stable word for programs."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def openapi(routes: Sequence[Route], *, base_path: str, version: str) -> dict[str, Any]:
    """Return the document for `routes`, served below `base_path`."""
    models = {m for route in routes for m in (route.request, route.response) if m is not None}
    ordered = sorted(models, key=lambda model: model.__name__)
    inputs = {route.request for route in routes}
    pairs: list[tuple[type[BaseModel], Any]] = [
        (model, "validation" if model in inputs else "serialization") for model in ordered
    ]
    names, schemas = models_json_schema(pairs, ref_template=REF)
    references = {model: names[model, mode] for model, mode in pairs}
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=lambda route: (route.path, route.method)):
        path = re.sub(r"\{(\w+)\*\}", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pumpkin", "version": version, "license": {"name": "BSD-3-Clause"}},
        "servers": [{"url": base_path}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": PROBLEM},
            "securitySchemes": {
                "hubToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token <Hub API token>`",
                }
            },
        },
    }


def _operation(route: Route, references: dict[type[BaseModel], Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.module],
        "x-owner": route.owner,
        "x-rate": route.rate_class,
        "security": [] if route.signed else [{"hubToken": []}],
        "responses": {
            "default": {
                "description": "A refusal.",
                "content": {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}},
            }
        },
    }
    if route.scope:
        operation["x-scope"] = PREFIX + route.scope
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\*?\}", route.path)
    ] + _query_parameters(route)
    if parameters:
        operation["parameters"] = parameters
    if route.upload:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    elif route.request is not None:
        operation["requestBody"] = {
            "required": not route.optional_body,
            "content": {"application/json": {"schema": references[route.request]}},
        }
    good: dict[str, Any] = {"description": route.summary}
    if route.response is not None:
        good["content"] = {"application/json": {"schema": references[route.response]}}
    elif route.streams is not None:
        good["content"] = {media: {"schema": _streamed(media)} for media in route.streams.split(", ")}
    operation["responses"][str(route.status if route.response or route.streams else 204)] = good
    return operation


def _streamed(media: str) -> dict[str, str]:
    return {"type": "object"} if media == "application/json" else {"type": "string", "format": "binary"}


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = route.query.model_json_schema(ref_template=REF)
    definitions = schema.get("$defs", {})
    required = set(schema.get("required", []))
    parameters: list[dict[str, Any]] = []
    for name, value in schema["properties"].items():
        inlined = _inline(value, definitions)
        description = inlined.pop("description", "")
        parameters.append(
            {"name": name, "in": "query", "required": name in required, "description": description, "schema": inlined}
        )
    return parameters


def _inline(value: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        value = cast(dict[str, Any], value)
        if "$ref" in value:
            return _inline(definitions[value["$ref"].rsplit("/", 1)[1]], definitions)
        return {key: _inline(item, definitions) for key, item in value.items()}
    if isinstance(value, list):
        return [_inline(item, definitions) for item in cast(list[Any], value)]
    return value
