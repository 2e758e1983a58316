"""`python -m pumpkin._generate docs/openapi.json`: make `_models.py` from what the API answers (`make models`)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

TARGET = Path(__file__).parent / "_models.py"
DOCSTRING = '"""What the API answers, as types; made from docs/openapi.json by `make models`: do not edit."""'
CONSTRAINTS = {"title", "minLength", "maxLength", "minItems", "maxItems", "pattern", "additionalProperties"} | {
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"
}  # fmt: skip
"""What is left to the platform to check: a client that is older than it must not refuse its answers."""
OPTIONS = """
    --input-file-type openapi --output-model-type pydantic_v2.BaseModel --target-python-version 3.11
    --use-standard-collections --use-union-operator --enum-field-as-literal all --disable-timestamp
    --use-schema-description --use-field-description --use-annotated --strict-nullable --use-double-quotes
    --base-class pumpkin._answer.Answer --formatters ruff-format ruff-check
"""


def answers(document: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas that answers are made of, without constraints."""
    wanted: set[str] = set()
    for path in document["paths"].values():
        for operation in path.values():
            _references(operation.get("responses", {}), wanted)
    schemas = document["components"]["schemas"]
    found: dict[str, Any] = {}
    while wanted - found.keys():
        name = sorted(wanted - found.keys())[0]
        found[name] = _plain(schemas[name])
        _references(found[name], wanted)
    return dict(sorted(found.items()))


def _references(node: Any, into: set[str]) -> None:
    if isinstance(node, dict):
        node = cast(dict[str, Any], node)
        if "$ref" in node:
            into.add(str(node["$ref"]).rsplit("/", 1)[1])
        for value in node.values():
            _references(value, into)
    elif isinstance(node, list):
        for value in cast(list[Any], node):
            _references(value, into)


def _plain(node: Any, *, names: bool = False) -> Any:
    """Drop the constraints; below `properties` the keys are names (`title`, `default`) and stay."""
    if isinstance(node, dict):
        node = cast(dict[str, Any], node)
        kept: dict[str, Any] = {
            key: value for key, value in node.items() if names or key not in CONSTRAINTS or isinstance(value, dict)
        }
        plain = {key: _plain(value, names=key == "properties") for key, value in kept.items()}
        if not names and "properties" in plain:
            plain["required"] = sorted(set(plain.get("required", [])))
        return plain
    return [_plain(item) for item in cast(list[Any], node)] if isinstance(node, list) else node


def main() -> None:
    """Generate the models."""
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    slim = {"openapi": "3.1.0", "info": {"title": "Pumpkin", "version": "1"}, "paths": {}}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "openapi.json"
        source.write_text(json.dumps(slim | {"components": {"schemas": answers(document)}}), encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "datamodel_code_generator", "--input", source, "--output", TARGET, *OPTIONS.split()],
            check=True,
        )
    text = TARGET.read_text(encoding="utf-8")
    _, rest = text.split("from __future__", 1)
    TARGET.write_text(f"{DOCSTRING}\n\n# ruff: noqa\nfrom __future__{rest}", encoding="utf-8")


if __name__ == "__main__":
    main()
