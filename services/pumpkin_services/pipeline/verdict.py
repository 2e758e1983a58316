"""What the ends of a workload's replicas mean for the workload: a pure function."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pumpkin_services.resources.shapes import GIB
from pumpkin_services.runtimes.base import Observation
from pumpkin_services.workloads.models import Reason
from pumpkin_services.workloads.plan import Plan, PlannedRole

NO_PLACE: tuple[Reason, ...] = ("cannot_fit", "lost")
"""Why an attempt may have ended before anything of it began; it does not count as a try then."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How one attempt ends: `message` is one sentence a person can act on."""

    phase: Literal["succeeded", "failed", "stopped"]
    reason: Reason = ""
    message: str = ""
    exit_code: int | None = None

    @property
    def retryable(self) -> bool:
        """Whether another try may go better."""
        return self.phase == "failed" and self.reason in (
            *NO_PLACE,
            "reclaimed",
            "exit_code",
            "signal",
            "oom",
            "start_failed",
        )


class Hopeless(Exception):
    """It cannot be prepared, now or later; `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


def judge(plan: Plan, placed: Mapping[str, Sequence[str]], seen: Mapping[str, Observation]) -> Verdict | None:
    """Return how the attempt ends, None while it goes on.

    `placed` has the names of the replicas of each role. The main role's end is the job's; where no role is the main
    one, all must end. A role that falls below its `min_available` fails the job, and so does a place on no node.
    """
    stuck = next((item for item in seen.values() if item.unplaced), None)
    if stuck is not None and not any(item.node or item.final for item in seen.values()):
        waits = stuck.waiting.rstrip(".")
        message = f"There is room for it, but no node that can take it ({waits[:1].lower()}{waits[1:]})."
        return Verdict(phase="failed", reason="cannot_fit", message=message)
    for role in plan.ordered:
        failures = [seen[name] for name in placed[role.name] if name in seen and failed(seen[name])]
        if len(placed[role.name]) - len(failures) < min(role.min_available, len(placed[role.name])):
            return _failure(role, failures[0])
    deciding = [plan.main] if plan.main.is_main or len(plan.roles) == 1 else plan.roles
    names = [name for role in deciding for name in placed[role.name]]
    if all(name in seen and seen[name].final for name in names):
        return Verdict(phase="succeeded", exit_code=seen[placed[plan.main.name][0]].exit_code)
    return None


def failed(item: Observation) -> bool:
    """Tell whether a replica ended otherwise than well."""
    return item.state == "lost" or (item.state == "exited" and item.exit_code != 0)


def _failure(role: PlannedRole, item: Observation) -> Verdict:
    code = item.exit_code
    if item.cause and item.started is None:
        message = f"{item.replica} did not begin: {item.cause.rstrip('.')}."
        return Verdict(phase="failed", reason="lost", message=message)
    if item.cause:
        message = f"{item.replica} did not end by itself: {item.cause.rstrip('.')}. Run it again."
        return Verdict(phase="failed", reason="lost", message=message, exit_code=code)
    if item.state == "lost":
        return Verdict(
            phase="failed",
            reason="lost",
            message=f"How {item.replica} ended is not known: its supervisor or its machine went down. Run it again.",
        )
    if item.oom:
        return Verdict(
            phase="failed",
            reason="oom",
            message=f"{item.replica} needed more than its {role.memory / GIB:.3g} GiB of memory: choose a larger spec.",
            exit_code=code,
        )
    if item.error:
        return Verdict(
            phase="failed",
            reason="start_failed",
            message=f"The command of {item.replica} could not be started: {item.error.rstrip('.')}.",
            exit_code=code,
        )
    if item.signal:
        return Verdict(
            phase="failed",
            reason="signal",
            message=f"{item.replica} was ended by {_signal(item.signal)}: see its log.",
            exit_code=code,
        )
    return Verdict(
        phase="failed", reason="exit_code", message=f"{item.replica} ended with exit code {code}: see its log.",
        exit_code=code,
    )  # fmt: skip


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
