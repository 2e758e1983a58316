"""Pumpkin for people and their programs: the SDK, what a job says about itself, and the notebook's `%pumpkin`.

    import pumpkin

    with pumpkin.Client() as client:
        client.datasets.push("data", "digits")
        job = client.jobs.submit("train", "python /code/train.py", spec="cpu-small", datasets=["digits"])
        print(client.jobs.wait(job.id).phase)

Inside a job: `pumpkin.log_metrics(step=3, loss=0.1)`, `pumpkin.output()`, `pumpkin.dataset()`. Everything is loaded
on first use, so that importing this package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pumpkin import _models as models
    from pumpkin._async.client import AsyncClient
    from pumpkin._protocol import Event, Progress
    from pumpkin._sync.client import Client
    from pumpkin.errors import PumpkinError
    from pumpkin.job import algorithm, dataset, log_metrics, output, params, pretrained
    from pumpkin.magics import load_ipython_extension

__all__ = [
    "AsyncClient",
    "Client",
    "Event",
    "Progress",
    "PumpkinError",
    "algorithm",
    "dataset",
    "load_ipython_extension",
    "log_metrics",
    "models",
    "output",
    "params",
    "pretrained",
]

_HOMES = {
    "AsyncClient": "pumpkin._async.client",
    "Client": "pumpkin._sync.client",
    "Event": "pumpkin._protocol",
    "Progress": "pumpkin._protocol",
    "PumpkinError": "pumpkin.errors",
    "load_ipython_extension": "pumpkin.magics",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pumpkin' has no attribute '{name}'")
    if name == "models":
        return importlib.import_module("pumpkin._models")
    return getattr(importlib.import_module(_HOMES.get(name, "pumpkin.job")), name)
