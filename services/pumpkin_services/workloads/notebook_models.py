"""Wire models of jobs that run a notebook: what is sent, and what comes back cell by cell."""

from __future__ import annotations

import json
import keyword
import re
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, StringConstraints

from pumpkin_services.web import Moment, Page, Wire
from pumpkin_services.web.paging import CursorQuery

MAX_DOCUMENT = 8 << 20
"""Bytes of a notebook without its outputs, and of all outputs of one cell."""
MAX_RESULTS = 64 << 20
"""Bytes of the outputs of all cells together."""
MAX_PARAMETERS = 64 << 10
"""Bytes of all parameters of one run."""
MAX_CELLS = 10_000
INJECTED = "injected-parameters"
"""The id, and the tag, of the cell that sets the parameters."""
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")

CellState = Literal["waiting", "running", "done", "failed", "skipped"]
CellId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


def dump(value: Any) -> str:
    """Return JSON as it is kept; raise `ValueError` for what JSON has no word for."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, RecursionError) as error:
        raise ValueError("this is not JSON") from error


def source_of(cell: dict[str, Any]) -> str:
    """Return a cell's text, which the format allows to be kept as lines."""
    source: str | list[str] = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def code_cells(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of a document that can be run, in its order."""
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


def _document(content: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook without outputs, a source a single text each; raise `ValueError` for what is none."""
    if (
        content.get("nbformat") != 4
        or not isinstance(minor := content.get("nbformat_minor"), int)
        or not 5 <= minor < 100
    ):
        raise ValueError("send a notebook of format 4.5 or later (nbformat 4, nbformat_minor 5)")
    cells, metadata = content.get("cells"), content.get("metadata", {})
    if not isinstance(cells, list) or not isinstance(metadata, dict):
        raise ValueError("a notebook has a list of cells, and metadata")
    if len(cast("list[Any]", cells)) > MAX_CELLS:
        raise ValueError(f"a notebook has {MAX_CELLS} cells at most")
    checked = [_cell(cell, at) for at, cell in enumerate(cast("list[Any]", cells))]
    if len({cell["id"] for cell in checked}) != len(checked):
        raise ValueError("two cells have the same id")
    metadata = cast("dict[str, Any]", metadata)
    kept: dict[str, Any] = {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": checked}
    if not any(source_of(cell).strip() for cell in code_cells(kept)):
        raise ValueError("it has no code to run")
    language = _language(metadata)
    if language not in ("", "python", "ipython"):
        raise ValueError(f"it is written in {language[:40]}: only notebooks in Python can be run")
    if len(dump(kept).encode()) > MAX_DOCUMENT:
        raise ValueError(f"without its outputs it has more than {MAX_DOCUMENT >> 20} MiB: keep data out of its cells")
    return kept


def _cell(cell: Any, at: int) -> dict[str, Any]:
    if not isinstance(cell, dict):
        raise ValueError(f"cell {at + 1} is not an object")
    cell = cast("dict[str, Any]", cell)
    if not isinstance(cell.get("id"), str) or not CELL_ID.fullmatch(cell["id"]):
        raise ValueError(f"cell {at + 1} has no id: save the notebook in format 4.5")
    if cell.get("cell_type") not in ("code", "markdown", "raw"):
        raise ValueError(f"cell {at + 1} is neither code nor markdown nor raw")
    source: Any = cell.get("source", "")
    if not isinstance(source, str) and not (
        isinstance(source, list) and all(isinstance(line, str) for line in cast("list[Any]", source))
    ):
        raise ValueError(f"the source of cell {at + 1} is not text")
    metadata: Any = cell.get("metadata", {})
    if not isinstance(metadata, dict):
        raise ValueError(f"the metadata of cell {at + 1} is not an object")
    kept = {**cell, "source": source_of(cell), "metadata": cast("dict[str, Any]", metadata)}
    return kept | ({"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {})


def _language(metadata: dict[str, Any]) -> str:
    for part, name in (("kernelspec", "language"), ("language_info", "name")):
        told: Any = metadata.get(part)
        if isinstance(told, dict) and isinstance(word := cast("dict[str, Any]", told).get(name), str) and word:
            return word.lower()
    return ""


def _parameters(values: dict[str, Any]) -> dict[str, Any]:
    for name in values:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"'{name[:40]}' is not a variable's name in Python")
    try:
        size = len(dump(values).encode())
    except ValueError as error:
        raise ValueError("a parameter is something that JSON has no word for") from error
    if size > MAX_PARAMETERS:
        raise ValueError(f"the parameters have more than {MAX_PARAMETERS >> 10} KiB together: put them into a file")
    return values


Document = Annotated[dict[str, Any], AfterValidator(_document)]
"""A notebook as nbformat 4.5 has it."""
Parameters = Annotated[dict[str, Any], AfterValidator(_parameters)]
Outputs = list[dict[str, Any]]
"""Outputs as nbformat has them."""


class NotebookRun(Wire):
    """A notebook that a job runs: the whole of it, or some of its cells."""

    path: str = Field(
        min_length=1, max_length=1000, pattern=r"^[^\x00]*$", description="Of the notebook, relative to the home."
    )
    content: Document | None = Field(
        default=None,
        description="In format 4.5; outputs are dropped. Needed to submit; a workload shows itself without it.",
    )
    cells: list[CellId] | None = Field(
        default=None, min_length=1, max_length=MAX_CELLS, description="Ids of the cells to run; all unless given."
    )
    parameters: Parameters = Field(
        default={}, description="Variables set by a cell behind the one tagged `parameters`, or before all others."
    )


class NotebookDocument(Wire):
    """An executed notebook; `metadata.pumpkin` has its `job`, `path` and the job's `phase`."""

    nbformat: int
    nbformat_minor: int
    metadata: dict[str, Any]
    cells: list[dict[str, Any]]


class CellUpdate(Wire):
    """One cell as the job has it now, whole. One with a `sequence` no greater than a former one changes nothing."""

    cell: CellId
    sequence: int = Field(ge=1, le=2**53)
    state: CellState
    execution_count: int | None = Field(default=None, ge=0, le=2**31 - 1)
    outputs: Outputs = Field(default=[], max_length=100_000)
    started: Moment | None = None
    finished: Moment | None = None


class CellUpdates(Wire):
    """Cells that a running job sends with its own token."""

    cells: list[CellUpdate] = Field(min_length=1, max_length=MAX_CELLS)


class CellResult(Wire):
    """What became of one cell. `revision` grows with every change of any cell of the job."""

    cell: str
    position: int = Field(description="Among the document's cells, from 0.")
    revision: int
    state: CellState
    execution_count: int | None
    outputs: Outputs
    source_hash: str = Field(description="Hex SHA-256 of the UTF-8 of the source that was sent.")
    started: datetime | None
    finished: datetime | None


class CellPage(Wire):
    """Cells in the order they changed; `next` is the revision to ask on `after`, also on the last page."""

    items: list[CellResult]
    next: int


class CellQuery(Wire):
    """Which cells."""

    after: int = Field(default=0, ge=0, le=2**53, description="Only what changed after this revision.")
    limit: int = Field(default=100, ge=1, le=500, description="So many at most; fewer when their outputs are large.")


class NotebookRunSummary(Wire):
    """One of the caller's own jobs that run a notebook."""

    id: str
    name: str
    path: str
    phase: Literal["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]
    landed: bool = Field(description="Whether its results are in the notebook.")
    created: datetime
    finished: datetime | None


class NotebookRunPage(Page[NotebookRunSummary]):
    """A page of them, newest first."""


class NotebookRunQuery(CursorQuery):
    """Which of them."""

    landed: bool | None = Field(default=None, description="Only those that have landed, or have not.")
