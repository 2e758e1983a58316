"""What a person may choose when starting a notebook: one model for the REST API, the form and the query string."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

_NAME = r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?"
_REFERENCE = re.compile(rf"(?:[^/\s\x00-\x1f\x7f]{{1,255}}/)?{_NAME}(?:@[1-9][0-9]{{0,8}})?")
_SPEC = re.compile(_NAME)
_ID = re.compile(r"[0-9A-Za-z]{26}")
LISTS = ("datasets", "models", "labels")
"""Options that take several values; in the form and the query they may be given repeatedly."""


class BadOptions(ValueError):
    """The options are not acceptable; the message is one sentence that names the option."""


def _whole(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(value: str) -> str:
        # fullmatch, because `$` would let a trailing newline through.
        if not pattern.fullmatch(value):
            raise ValueError(f"'{value[:80]}' is not {what}")
        return value

    return AfterValidator(check)


Reference = Annotated[str, Field(max_length=400), _whole(_REFERENCE, "a reference: write name or workspace/name@3")]


class NotebookOptions(BaseModel):
    """The `user_options` of a spawn.

    With `grant` (the id of a notebook the platform has made room for) nothing else is needed. The platform checks
    whether the rest exists and is permitted; here only the shape is held.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    grant: Annotated[str, _whole(_ID, "a grant's id")] | None = None
    spec: Annotated[str, _whole(_SPEC, "the name of a spec")] | None = None
    workspace: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    environment: Reference | None = None
    datasets: Annotated[list[Reference], Field(max_length=64)] = []
    algorithm: Reference | None = None
    models: Annotated[list[Reference], Field(max_length=64)] = []
    idle_seconds: Annotated[int, Field(ge=60, le=31_536_000)] | None = None
    labels: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=32)] = []
    notes: Annotated[str, Field(max_length=100_000)] = ""

    def wire(self) -> dict[str, Any]:
        """Return what was chosen, without what was left open."""
        return self.model_dump(exclude_defaults=True)

    def lasting(self) -> dict[str, Any]:
        """Return what may be used again for a later start: a grant is good for one."""
        return self.model_dump(exclude_defaults=True, exclude={"grant"})


def parse(options: Mapping[str, Any]) -> NotebookOptions:
    """Check `user_options`; raise `BadOptions` naming the first option that is unknown or not acceptable."""
    unknown = sorted(set(options) - set(NotebookOptions.model_fields))
    if unknown:
        known = ", ".join(NotebookOptions.model_fields)
        raise BadOptions(f"There is no option '{str(unknown[0])[:80]}': the options are {known}.")
    try:
        return NotebookOptions.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadOptions(f"{where}: {first['msg'].removeprefix('Value error, ')}.") from error


def from_form(form: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return `user_options` for form or query data, where every value is a list of strings.

    Empty fields are left out, several references may stand in one field, and names are passed on as they are: an
    unknown one is refused by `parse`, as over the REST API.
    """
    options: dict[str, Any] = {}
    for name, values in form.items():
        if name == "_xsrf":
            continue
        given = [
            part for value in values for part in (re.split(r"[,\s]+", value) if name in LISTS else [value.strip()])
        ]
        given = [value for value in given if value]
        if not given:
            continue
        if name in LISTS:
            options[name] = given
        elif name == "idle_seconds" and re.fullmatch(r"[0-9]{1,9}", given[-1]):
            options[name] = int(given[-1])
        else:
            options[name] = given[-1]
    return options
