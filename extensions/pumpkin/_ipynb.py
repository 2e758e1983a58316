"""Notebooks as files: read for a job, named, written back. The standard library only."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from pumpkin.errors import PumpkinError

SUFFIX = ".ipynb"


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a notebook without its outputs, each cell with an id; raise `PumpkinError` for a file that is none."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        cells: list[dict[str, Any]] = [dict(cell) for cell in document["cells"]]
        major, minor = int(document["nbformat"]), int(document["nbformat_minor"])
    except OSError as error:
        raise PumpkinError(f"{path} cannot be read: {error.strerror}.", field="path", reason="invalid") from error
    except (ValueError, KeyError, TypeError) as error:
        raise PumpkinError(f"{path} is not a notebook.", field="path", reason="invalid") from error
    if major != 4:
        raise PumpkinError(
            f"{path} has the old format {major}: save it with a newer Jupyter.", field="path", reason="invalid"
        )
    taken = {cell.get("id") for cell in cells}
    for number, cell in enumerate(cells, 1):
        if "id" not in cell:
            cell["id"] = next(name for name in _names(number) if name not in taken)
            taken.add(cell["id"])
        if cell.get("cell_type") == "code":
            cell |= {"outputs": [], "execution_count": None}
    return {**document, "nbformat_minor": max(minor, 5), "cells": cells}


def _names(number: int) -> Any:
    yield f"cell-{number}"
    yield from (f"cell-{number}-{extra}" for extra in range(2, 1 << 20))


def home_path(path: str | os.PathLike[str]) -> str:
    """Return a notebook's path below the home folder, as the platform names it; its bare name from elsewhere."""
    home = Path(os.environ.get("PUMPKIN_HOME") or Path.home()).resolve()
    whole = Path(path).resolve()
    return whole.relative_to(home).as_posix() if home in whole.parents else whole.name


def job_name(text: str) -> str:
    """Return a name a job may have, made from any text: `train` for `Train.py`."""
    stem = re.sub(r"[^a-z0-9_-]+", "-", Path(text).stem.lower()).strip("-_")[:63].strip("-_")
    return stem or "job"
