"""What the platform tells the commands of a pod, all in variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pumpkin.config import Config, clean_url
from pumpkin.errors import PumpkinError

CACHE = "/pumpkin/cache"
METRICS = "/pumpkin/metrics/metrics.jsonl"
OUTPUT = "/pumpkin/output"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod: whose it is, what it reads, and where its folders are in the container that asks.

    Variables: `PUMPKIN_URL` and `PUMPKIN_TOKEN` (the workload's own), `PUMPKIN_WORKLOAD`, `PUMPKIN_REPLICA`,
    `PUMPKIN_POD_INPUTS` (JSON, `[{"source": "datasets/lab/digits/versions/3", "target": "/dataset/digits"}]`; the
    workload's environment, if it was built, is the one whose source begins with `images/`), and the folders where they
    are not the usual ones: `PUMPKIN_POD_CACHE`, `PUMPKIN_METRICS` (a file), `PUMPKIN_OUTPUT`.
    """

    config: Config
    workload: str
    replica: str
    sources: tuple[str, ...]
    cache: Path
    metrics: Path
    output: Path

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Pod:
        """Return the pod this process runs in; raise `PumpkinError` naming the variable that is missing or wrong."""
        try:
            config = Config(url=clean_url(env["PUMPKIN_URL"]), token=env["PUMPKIN_TOKEN"], source="PUMPKIN_TOKEN")
            workload, replica = env["PUMPKIN_WORKLOAD"], env["PUMPKIN_REPLICA"]
        except KeyError as error:
            raise PumpkinError(f"This is a command of a workload's pod: the variable {error} is not set.") from error
        return cls(
            config=config,
            workload=workload,
            replica=replica,
            sources=_sources(env.get("PUMPKIN_POD_INPUTS", "[]")),
            cache=Path(env.get("PUMPKIN_POD_CACHE", CACHE)),
            metrics=Path(env.get("PUMPKIN_METRICS", METRICS)),
            output=Path(env.get("PUMPKIN_OUTPUT", OUTPUT)),
        )


def _sources(text: str) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(str(item["source"]) for item in json.loads(text)))
    except (ValueError, TypeError, KeyError) as error:
        raise PumpkinError('PUMPKIN_POD_INPUTS is no JSON list of {"source": …, "target": …}.') from error
