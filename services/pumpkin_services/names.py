"""Names and references, as people type them: `digits`, `digits@3`, `vision-lab/digits@3`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from pumpkin_services.problems import Invalid

NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")
WORKSPACE = re.compile(r"(?!\.\.?$)[^/\s\x00-\x1f\x7f]{1,255}")
"""A workspace is called like a Hub user or group, which may be an e-mail address."""
PLATFORM_WORKSPACE = "pumpkin"
"""Owner of the platform's own environments. Nobody and nothing else may be called so."""
RULE = "use 1 to 63 lower-case letters, digits, '.', '_' or '-', beginning and ending with a letter or digit"


def _check(value: str) -> str:
    if not NAME.fullmatch(value) or ".." in value:
        raise ValueError(f"{RULE}, without '..'")
    return value


Name = Annotated[str, StringConstraints(max_length=63), AfterValidator(_check)]
"""The name of a dataset, algorithm, model, environment, spec, pool, role, … (also fit for DNS and a folder)."""


@dataclass(frozen=True)
class Reference:
    """A parsed reference; None where the text leaves something open."""

    workspace: str | None
    name: str
    version: int | None

    @classmethod
    def parse(cls, text: str, *, field: str) -> Reference:
        """Parse `[workspace/]name[@version]`; raise `Invalid` naming `field` for anything else."""
        workspace, slash, rest = text.rpartition("/")
        name, at, version = rest.partition("@")
        if not NAME.fullmatch(name) or ".." in name or (slash and not WORKSPACE.fullmatch(workspace)):
            raise Invalid(
                f"'{text[:80]}' is not a reference: write name, name@version or workspace/name@version.", field=field
            )
        if at and not (version.isascii() and version.isdigit() and 1 <= len(version) <= 9 and int(version) > 0):
            raise Invalid(f"The version in '{text[:80]}' is not a number from 1 up.", field=field)
        return cls(workspace or None, name, int(version) if at else None)

    def __str__(self) -> str:
        prefix = f"{self.workspace}/" if self.workspace else ""
        return prefix + self.name + (f"@{self.version}" if self.version else "")
