"""Notebooks as documents: the cell of parameters, which cells run, and the document with what became of them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pumpkin_services.problems import Invalid
from pumpkin_services.workloads import notebook_models as wire
from pumpkin_services.workloads.notebook_models import INJECTED
from pumpkin_services.workloads.tables import CellRow, WorkloadRow

TAG = "parameters"


def prepared(content: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notebook as it is run: with a cell that sets the parameters, if there are any.

    As papermill has it: the cell takes the place of one injected before, else it stands behind the first cell tagged
    `parameters`, else before all others.
    """
    cells: list[dict[str, Any]] = list(content["cells"])
    if not parameters:
        return {**content, "cells": cells}
    injected = _injected(parameters)
    former = next((at for at, cell in enumerate(cells) if cell["id"] == INJECTED or INJECTED in _tags(cell)), None)
    if former is not None:
        cells[former] = injected
    else:
        defaults = next((at for at, cell in enumerate(cells) if TAG in _tags(cell)), -1)
        cells.insert(defaults + 1, injected)
    return {**content, "cells": cells}


def _injected(parameters: Mapping[str, Any]) -> dict[str, Any]:
    lines = ["# Parameters", *(f"{name} = {value!r}" for name, value in parameters.items())]
    return {
        "id": INJECTED,
        "cell_type": "code",
        "metadata": {"tags": [INJECTED]},
        "source": "\n".join(lines),
        "outputs": [],
        "execution_count": None,
    }


def _tags(cell: Mapping[str, Any]) -> Sequence[Any]:
    tags = cell["metadata"].get("tags")
    return cast("list[Any]", tags) if isinstance(tags, list) else ()


def rows(workload: str, run: wire.NotebookRun) -> list[dict[str, Any]]:
    """Return a row for each cell to run, in their order; raise `Invalid` for an id that is no cell's."""
    assert run.content is not None
    document = prepared(run.content, run.parameters)
    wanted = _wanted(run)
    found: list[dict[str, Any]] = []
    number = 0
    for position, cell in enumerate(document["cells"]):
        if cell["cell_type"] != "code":
            continue
        mine = bool(run.parameters) and cell["id"] == INJECTED
        number += not mine
        if mine or wanted is None or cell["id"] in wanted:
            found.append(
                {
                    "workload": workload,
                    "cell": cell["id"],
                    "position": position,
                    "number": 0 if mine else number,
                    "source_hash": hashlib.sha256(cell["source"].encode()).hexdigest(),
                    "revision": len(found) + 1,
                    "sequence": 0,
                    "state": "waiting",
                    "size": 0,
                    "outputs": "[]",
                }
            )
    return found


def _wanted(run: wire.NotebookRun) -> set[str] | None:
    if run.cells is None:
        return None
    assert run.content is not None
    known = {cell["id"] for cell in wire.code_cells(run.content)}
    for at, cell in enumerate(run.cells):
        if cell not in known:
            raise Invalid(f"The notebook has no cell of code with the id '{cell}'.", field=f"notebook.cells.{at}")
    return set(run.cells)


def executed(row: WorkloadRow, document: dict[str, Any], cells: Sequence[CellRow]) -> wire.NotebookDocument:
    """Return the document with the results so far."""
    results = {cell.cell: cell for cell in cells}

    def filled(cell: dict[str, Any]) -> dict[str, Any]:
        result = results.get(cell["id"])
        if result is None:
            return cell
        return {**cell, "outputs": json.loads(result.outputs), "execution_count": result.execution_count}

    told = {"job": row.id, "path": row.notebook, "phase": row.phase}
    return wire.NotebookDocument(
        nbformat=document["nbformat"],
        nbformat_minor=document["nbformat_minor"],
        metadata={**document["metadata"], "pumpkin": told},
        cells=[filled(cell) for cell in document["cells"]],
    )


def result(row: CellRow) -> wire.CellResult:
    """Return one cell as it is shown."""
    return wire.CellResult(
        cell=row.cell,
        position=row.position,
        revision=row.revision,
        state=row.state,  # pyright: ignore[reportArgumentType]
        execution_count=row.execution_count,
        outputs=json.loads(row.outputs),
        source_hash=row.source_hash,
        started=row.started,
        finished=row.finished,
    )


def failure(cell: CellRow) -> str:
    """Return in one sentence why a cell failed."""
    which = f"Cell {cell.number}" if cell.number else "The cell of parameters"
    errors = [item for item in json.loads(cell.outputs) if item.get("output_type") == "error"]
    if not errors:
        return f"{which} did not end: see the log."
    name, value = str(errors[-1].get("ename", ""))[:100], str(errors[-1].get("evalue", "")).strip()
    if name == "DeadKernelError":
        return f"The kernel ended while {which[0].lower()}{which[1:]} ran: see the log."
    first = (value.splitlines() or [""])[0][:300]
    return f"{which} raised {name}" + (f": {first}" if first else ".")
