"""The chart's values: each is used, each is described by the schema, and nothing is used that is no value."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml

CHART = Path(__file__).parents[3] / "helm" / "pumpkin"
VALUES = cast(dict[str, Any], yaml.safe_load((CHART / "values.yaml").read_text()))
SCHEMA = cast(dict[str, Any], json.loads((CHART / "values.schema.json").read_text()))
TEMPLATES = "\n".join(path.read_text() for path in sorted((CHART / "templates").iterdir()))
FREE = {"resources", "nodeSelector", "tolerations", "ingress.annotations", "cache.nodeSelector"}
"""Values that are Kubernetes' own shapes, handed on whole."""


def paths(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in values.items():
        path = before + key
        if isinstance(value, dict) and path not in FREE:
            yield from paths(cast(dict[str, Any], value), path + ".")
        else:
            yield path


def test_every_value_is_used_and_every_used_one_exists() -> None:
    used = set(re.findall(r"\.Values\.([A-Za-z0-9.]+)", TEMPLATES))
    assert used == set(paths(VALUES))


def test_the_schema_describes_exactly_the_values() -> None:
    def described(schema: Mapping[str, Any], before: str = "") -> Iterator[str]:
        for key, inner in schema.get("properties", {}).items():
            if inner.get("properties"):
                assert inner["additionalProperties"] is False
                yield from described(inner, before + key + ".")
            elif before + key != "global":  # Helm adds it to every chart
                yield before + key

    assert set(described(SCHEMA)) == set(paths(VALUES))


def test_the_defaults_fit_the_schema() -> None:
    jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("replicas", 2),
        ("ingress.hosts", ["a.example.org"]),
        ("ingress.host", "https://a.example.org"),
        ("baseUrl", "/ai"),
        ("image.notebook", ""),
        ("image.pullPolicy", "Sometimes"),
        ("oidc.issuer", "login.example.org"),
        ("data.size", "100"),
        ("workloads.namespacePrefix", "pumpkin"),
        ("workloads.namespacePrefix", ""),
        ("workloads.homeBytes", "10Gi"),
        ("cache.path", "/"),
        ("cache.path", "/etc"),
        ("cache.limitBytes", 0),
    ],
)
def test_a_value_that_cannot_work_is_refused(path: str, value: Any) -> None:
    values = copy.deepcopy(VALUES)
    *folders, name = path.split(".")
    place = values
    for folder in folders:
        place = place[folder]
    place[name] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, SCHEMA)
