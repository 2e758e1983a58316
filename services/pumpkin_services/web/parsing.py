"""What is refused about a request before its models are asked, and how a model's refusal is said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import ValidationError

from pumpkin_services.problems import Invalid, Problem


class _NotJson(Problem):
    status = 415
    reason = "not_json"
    title = "Unsupported media type"


def require_json(content_type: str | None) -> None:
    """Raise a 415 for a body that says it is something other than JSON; one that says nothing is tried."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in ("", "application/json"):
        raise _NotJson(
            f"This route takes JSON, not '{kind[:80]}': send 'Content-Type: application/json'.", field="Content-Type"
        )


def refuse_nul(values: Mapping[str, Any]) -> None:
    """Raise `Invalid`, naming the field, for a NUL in any text below `values`: not every database keeps one."""
    for name in _nul(values):
        raise Invalid("This text has a NUL character in it: leave it out.", field=name)


def refuse_nul_in_body(body: bytes | bytearray) -> None:
    """Do the same for a body that is known to be JSON."""
    # A NUL can only come as this escape, which hardly any body has.
    if b"\\u0000" in body:
        refuse_nul({"": json.loads(body)})


def from_validation(error: ValidationError) -> Problem:
    """Return what pydantic found as a problem that names each field."""
    found = error.errors(include_url=False, include_input=False, include_context=False)[:20]
    errors = [
        {"field": ".".join(str(part) for part in item["loc"]), "message": item["msg"].removeprefix("Value error, ")}
        for item in found
    ]
    if any(item["type"] == "json_invalid" for item in found):
        return Problem(f"The body is not valid JSON: {errors[0]['message']}.", reason="bad_json")
    return Invalid.many(errors)


def _nul(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, Mapping):
        for name, item in cast("Mapping[str, Any]", value).items():
            if "\0" in name:
                yield path
            yield from _nul(item, f"{path}.{name}".strip("."))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _nul(item, f"{path}.{index}".strip("."))
