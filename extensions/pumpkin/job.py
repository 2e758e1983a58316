"""What a job knows about itself: where its inputs and its output are, and its metrics.

Everything comes from the `PUMPKIN_*` variables the platform sets. Outside of a job the same code runs too: folders
are the present one, metrics are printed.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import SupportsFloat

MAX_LINE = 1 << 20


def log_metrics(step: int = 0, **values: SupportsFloat) -> None:
    """Record values of metrics at one step: `log_metrics(step=3, loss=0.12, accuracy=0.97)`.

    They show as curves while the job runs, and the last of each goes into the lineage of its model. Anything that
    `float()` takes will do; what is not finite becomes a gap. Raises `TypeError` for anything else, never for a
    disk that is full: metrics must not end a training.
    """
    numbers = {name: _finite(name, value) for name, value in values.items()}
    target = os.environ.get("PUMPKIN_METRICS")
    if not target:
        shown = "  ".join(f"{name}={value}" for name, value in numbers.items())
        print(f"step {int(step)}  {shown}", flush=True)
        return
    line = json.dumps({"step": int(step), "time": time.time(), "values": numbers}).encode() + b"\n"
    try:
        # One write in append mode: lines of several processes never mix.
        handle = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)
    except OSError as error:
        print(f"pumpkin: metrics were not recorded: {error}", file=sys.stderr)


def output() -> Path:
    """Return the folder whose content becomes the job's model; the present folder outside of a job."""
    return _folder("PUMPKIN_OUTPUT")


def dataset(name: str | None = None) -> Path:
    """Return the folder of a dataset of this job: of the one called `name`, or of the only one."""
    return _one("PUMPKIN_DATASETS", name, "dataset")


def pretrained(name: str | None = None) -> Path:
    """Return the folder of a model given to this job: of the one called `name`, or of the only one."""
    return _one("PUMPKIN_PRETRAINED", name, "model")


def algorithm() -> Path:
    """Return the folder of the algorithm this job runs; the present folder outside of a job."""
    return _folder("PUMPKIN_CODE")


class Params(Mapping[str, str]):
    """The job's parameters: its variables by name (`job run --env LR=0.1` is `params["LR"]`).

    `params.number("LR", 0.01)` reads one as a number, with a default.
    """

    def __getitem__(self, name: str) -> str:
        return os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)

    def number(self, name: str, default: float) -> float:
        """Return a variable as a number; raise `ValueError` naming it when it is none."""
        text = os.environ.get(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError as error:
            raise ValueError(f"the parameter {name} is '{text}', which is not a number") from error
        return int(value) if value.is_integer() and isinstance(default, int) else value


params = Params()


def _finite(name: str, value: SupportsFloat) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the metric {name} is {value!r}, which is not a number") from error
    return number if math.isfinite(number) else None


def _folder(variable: str) -> Path:
    return Path(os.environ.get(variable) or ".")


def _one(variable: str, name: str | None, kind: str) -> Path:
    folder = _folder(variable)
    if variable not in os.environ:
        return folder / name if name else folder
    found = sorted(item.name for item in folder.iterdir()) if folder.is_dir() else []
    if name is None and len(found) == 1:
        return folder / found[0]
    if name in found:
        return folder / str(name)
    wanted = f"called '{name}'" if name else "to choose by itself"
    raise FileNotFoundError(f"this job has no {kind} {wanted}: it has {', '.join(found) or 'none'}")
