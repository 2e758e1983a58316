"""What the ends of replicas mean where their places come to nothing."""

from __future__ import annotations

from pumpkin_services.pipeline.verdict import judge
from pumpkin_services.runtimes.base import Observation
from pumpkin_services.workloads.plan import Plan, PlannedRole


def plan(*, replicas: int = 1, minimum: int = 1) -> Plan:
    shape = {"spec": "s", "pool": "lab", "cpu_milli": 1, "memory": 1}
    role = PlannedRole.model_validate(
        {"name": "main", "argv": ["true"], "replicas": replicas, "min_available": minimum, **shape}
    )
    return Plan(environment="e", environment_ref="platform/e@1", roles=[role])


STUCK = "Waiting for 8 × A100 in pool lab: no node has enough nvidia.com/gpu free."


def test_an_attempt_that_no_node_takes_does_not_fit_and_says_so():
    seen = {"main-0": Observation(replica="main-0", state="starting", waiting=STUCK, unplaced=True)}
    verdict = judge(plan(), {"main": ["main-0"]}, seen)
    assert verdict is not None
    assert (verdict.reason, verdict.retryable) == ("cannot_fit", True)
    assert verdict.message == (
        "There is room for it, but no node that can take it "
        "(waiting for 8 × A100 in pool lab: no node has enough nvidia.com/gpu free)."
    )


def test_replicas_beyond_the_minimum_wait_beside_those_that_have_a_node():
    seen = {
        "main-0": Observation(replica="main-0", state="starting", node="n1"),
        "main-1": Observation(replica="main-1", state="starting", waiting=STUCK, unplaced=True),
    }
    assert judge(plan(replicas=2), {"main": ["main-0", "main-1"]}, seen) is None


def test_what_was_lost_before_it_began_says_that_it_did_not_begin():
    seen = {"main-0": Observation(replica="main-0", state="lost", cause="its node n1 was lost", ended=1)}
    verdict = judge(plan(), {"main": ["main-0"]}, seen)
    assert verdict is not None
    assert (verdict.reason, verdict.message) == ("lost", "main-0 did not begin: its node n1 was lost.")
