"""The wire: environments, their versions, and what is asked of them. Sizes are bytes, times UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pumpkin_services.names import Name
from pumpkin_services.takedown import TakenDown
from pumpkin_services.web import Page, PageQuery, Wire

Visibility = Literal["private", "everyone"]
Kind = Literal["built", "interpreter"]
State = Literal["queued", "building", "ready", "failed", "deleted"]
Line = Annotated[str, StringConstraints(max_length=2000)]
Description = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]
PythonVersion = Annotated[str, StringConstraints(pattern=r"^3\.[0-9]{1,2}(\.[0-9]{1,2})?$")]


class Requirements(Wire):
    """What to lock and build: exactly one of `requirements` and `pyproject`."""

    requirements: list[Line] | str | None = Field(
        default=None, description="PEP 508 lines, or the text of a requirements.txt."
    )
    pyproject: str | None = Field(
        default=None, description="The text of a pyproject.toml; its project.dependencies are taken."
    )
    python: PythonVersion | None = Field(
        default=None, description="A Python installed on this machine (3.12); the platform's own unless given."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Requirements:
        if (self.requirements is None) == (self.pyproject is None):
            raise ValueError("send either requirements or pyproject")
        return self


class CreateEnvironment(Requirements):
    """A new environment with its version 1, which is built at once."""

    name: Name
    workspace: str | None = Field(default=None, max_length=255, description="The caller's personal one unless given.")
    description: Description = ""
    visibility: Visibility = "private"


class CheckedRequirements(Wire):
    """What would be built: the lines in their normal form, without comments."""

    requirements: list[str]


class RegisterInterpreter(Wire):
    """An existing Python to offer as an environment (admins only). Registering it again records what changed."""

    name: Name
    python: str = Field(max_length=1000, description="Absolute path of the interpreter on this machine.")
    description: Description = ""


class EditEnvironment(Wire):
    """Changes to what surrounds the versions; a field left out stays as it is. `preset` needs an admin."""

    description: Description | None = None
    visibility: Visibility | None = None
    preset: bool | None = None


class EnvironmentQuery(PageQuery):
    """Filters of the list; `q` searches names."""

    workspace: str | None = Field(default=None, max_length=255)
    name: str | None = Field(default=None, max_length=63, description="Exactly this name.")
    kind: Kind | None = None
    view: Literal["all", "mine", "shared", "preset", "taken_down", "everything"] = Field(
        default="all",
        description="`mine`: of the caller's workspaces; `shared`: of others; `preset`: offered by an admin; "
        "`taken_down`: hidden by one; `everything`: other people's too (admins only).",
    )


class ResolveQuery(BaseModel):
    """A reference as people type it."""

    model_config = ConfigDict(extra="forbid")

    reference: str = Field(min_length=1, max_length=400, description="`name`, `name@3` or `workspace/name@3`.")


class VersionSummary(Wire):
    """How one version stands. `reason` and `message` are set when it failed."""

    id: str
    environment: str
    number: int
    creator: str
    state: State
    python_version: str
    kernel: bool = Field(description="Whether notebooks can run kernels from it (ipykernel is in its lock).")
    bytes: int
    reason: str
    message: str
    created: datetime
    started: datetime | None
    finished: datetime | None


class EnvironmentVersion(VersionSummary):
    """One version in full; `log` is the path of its build log under the API's base."""

    requirements: list[str]
    lock: str
    packages: dict[str, str]
    digest: str
    prefix: str
    log: str


class Environment(Wire):
    """A named environment and the state of its newest version."""

    id: str
    name: str
    workspace: str
    creator: str
    description: str
    visibility: Visibility
    shared_with: list[str] = Field(description="Workspaces it is shared with; shown to its own workspace only.")
    preset: bool = Field(description="Offered to everybody by an admin.")
    taken_down: TakenDown | None = Field(description="Set while an admin hides it from all but its workspace.")
    kind: Kind
    may_write: bool
    latest: VersionSummary | None
    revision: int
    created: datetime
    updated: datetime


class EnvironmentPage(Page[Environment]):
    """A page of environments."""


class VersionPage(Page[VersionSummary]):
    """A page of versions, without their locks."""


class Installed(Wire):
    """What `pip freeze` says in a running notebook, and the version it was started on (the latest unless given)."""

    packages: list[Line] = Field(max_length=5000)
    version: int | None = Field(default=None, ge=1, le=1_000_000_000)


class FreezeEnvironment(Installed):
    """Leave to keep it: as a new version of the same environment, or of one called `name` in `workspace`."""

    name: Name | None = None
    workspace: str | None = Field(default=None, max_length=255)
    leave_out_refused: bool = Field(
        default=False, description="Keep the rest when some lines (editable installs, local files) cannot be kept."
    )


class Changed(Wire):
    """One package whose version differs."""

    name: str
    before: str
    after: str


class Refused(Wire):
    """One line that cannot be part of an environment, and why."""

    line: str
    why: str


class Difference(Wire):
    """What is installed compared with version `against`."""

    against: int
    added: dict[str, str]
    removed: dict[str, str]
    changed: list[Changed]
    refused: list[Refused]
