"""The wire models datasets, algorithms and models share; each kind subclasses them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from pumpkin_services.names import Name
from pumpkin_services.takedown import TakenDown
from pumpkin_services.web.paging import PageQuery
from pumpkin_services.web.wire import Wire


def _distinct(labels: list[str]) -> list[str]:
    return sorted(set(labels))


Label = Annotated[str, StringConstraints(pattern=r"^[\w.:/+-]([\w .:/+-]{0,61}[\w.:/+-])?$")]
Labels = Annotated[list[Label], Field(max_length=32), AfterValidator(_distinct)]
Description = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]
Word = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f]*$")]
Line = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
Visibility = Literal["private", "everyone"]


class Asset(Wire):
    """A named thing with versions. `latest` is the number of its newest version, null before the first."""

    id: str
    workspace: str
    name: str
    creator: str
    description: str = Field(description="Markdown.")
    labels: list[str]
    visibility: Visibility
    preset: bool = Field(description="Offered to everybody by an admin.")
    shared_with: list[str] = Field(description="Workspaces it is shared with; shown to its own workspace only.")
    taken_down: TakenDown | None = Field(description="Set while an admin hides it from all but its workspace.")
    keep_last: int | None = Field(description="Its retention rule: how many of the newest versions are kept.")
    keep_days: int | None = Field(description="And for how many days others are; both null keep all.")
    may_write: bool
    latest: int | None
    versions: int
    bytes: int = Field(description="Bytes of the newest version.")
    created: datetime
    updated: datetime
    revision: int


class AssetCreate(Wire):
    """Makes an empty named thing; its versions are uploaded next."""

    workspace: str | None = Field(default=None, max_length=255, description="Your own unless given.")
    name: Name
    description: Description = ""
    labels: Labels = []
    visibility: Visibility = "private"


class AssetPatch(Wire):
    """Changes what is given. `preset` needs an admin."""

    description: Description | None = None
    labels: Labels | None = None
    visibility: Visibility | None = None
    preset: bool | None = None


class AssetQuery(PageQuery):
    """The list: everything the caller may see, newest first."""

    workspace: str | None = Field(default=None, max_length=255, description="Keep what this workspace owns.")
    name: Name | None = Field(default=None, description="Keep exactly this name.")
    label: str | None = Field(default=None, max_length=63, description="Keep what carries this label.")
    view: Literal["all", "mine", "shared", "preset", "taken_down"] = Field(
        default="all",
        description="`mine`: of the caller's workspaces; `shared`: of others; `preset`: offered by an admin; "
        "`taken_down`: hidden by one.",
    )


class ResolveQuery(BaseModel):
    """A reference as people type it."""

    model_config = ConfigDict(extra="forbid")

    reference: str = Field(max_length=400, description="`name`, `name@3` or `workspace/name@3`.")


class VersionReference(Wire):
    """The version a reference means."""

    id: str
    kind: Literal["dataset", "algorithm", "model"]
    asset_id: str
    workspace: str
    name: str
    number: int
    files: int
    bytes: int
