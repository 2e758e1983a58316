"""What is left of an attempt that is over is found and removed; what still comes home is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.base import Key, Launch, ReplicaSpec
from pumpkin_services.runtimes.volcano import ClusterSettings, VolcanoRuntime, names, objects
from pumpkin_services.runtimes.volcano.api import Api
from pumpkin_services.runtimes.volcano.keeper import Keeper
from pumpkin_services.runtimes.volcano.records import Records

KEY = Key("01hq", 2)
LAUNCH = Launch(
    key=KEY,
    workspace="lab",
    replicas=[ReplicaSpec(role="main", index=0, argv=["true"], env={"PUMPKIN_TOKEN": "t"}, cpu_milli=100)],
)


class Cluster:
    """Notes what is made and deleted; refuses to make what `refused` names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.refused = ""

        async def create(_: Api, item: Mapping[str, Any]) -> Mapping[str, Any]:
            if item["kind"] == self.refused:
                raise Unavailable("The API server is away.")
            self.done.append(f"+{item['kind']}")
            return {**item, "metadata": {**item["metadata"], "uid": "u"}}

        async def delete(_: Api, kind: str, _namespace: str, _name: str, **_more: Any) -> bool:
            self.done.append(f"-{kind}")
            return True

        monkeypatch.setattr(Api, "create", create)
        monkeypatch.setattr(Api, "delete", delete)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(monkeypatch)


@pytest.fixture
def runtime(tmp_path: Path) -> VolcanoRuntime:
    settings = ClusterSettings(image="i", platform_url="http://p")
    return VolcanoRuntime(settings=settings, data=tmp_path)


async def test_what_is_there_is_alive_until_it_is_tidied_and_said(cluster: Cluster, runtime: VolcanoRuntime) -> None:
    await runtime.offer(LAUNCH)
    assert await runtime.alive() == [KEY]
    cluster.done.clear()
    [said] = await runtime.tidy(KEY)
    assert said == f"the vcjob pumpkin-lab/{names.job(KEY)}"
    assert cluster.done == ["-Secret", "-Job"], "the Secret first: nobody can list it when the job is gone"


async def test_a_secret_whose_job_could_not_be_made_is_known(cluster: Cluster, runtime: VolcanoRuntime) -> None:
    cluster.refused = "Job"
    with pytest.raises(Unavailable):
        await runtime.offer(LAUNCH)
    assert cluster.done[-1] == "+Secret"
    assert await runtime.alive() == [KEY]
    assert await runtime.tickets() == {}
    await runtime.tidy(KEY)
    assert "-Secret" in cluster.done
    assert (await runtime.alive(), await runtime.list()) == ([], []), "it never began: nothing of it stays"


def pod() -> objects.Pod:
    ended = objects.Container(state="terminated", started=1000, finished=2000)
    return objects.Pod(
        key=KEY, kind="job", replica="main-0", namespace="pumpkin-lab", name="p", uid="u", phase="Succeeded", main=ended
    )


async def test_a_pod_that_has_ended_is_being_brought_home_until_its_end_is_kept(
    runtime: VolcanoRuntime, tmp_path: Path
) -> None:
    records = Records(tmp_path / "runs")
    records.remember(runtime.settings, LAUNCH)
    lock = records.lock(KEY, "main-0")
    assert lock is not None, "another process keeps its log"

    async def over(_: Key) -> None:
        return

    keeper = Keeper(runtime.api, records, changed=lambda _: None, over=over)
    keeper.heard(None, pod())
    assert keeper.brings(KEY)
    await keeper.settled(KEY, 0.01)
    assert keeper.brings(KEY)
    keeper.close()


async def test_who_was_let_in_and_gets_no_pod_is_lost_and_may_start_again(
    cluster: Cluster, runtime: VolcanoRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pumpkin_services.runtimes.volcano.runtime.BARE_SECONDS", 0.0)
    await runtime.offer(LAUNCH)
    waiting = (await runtime.observe(KEY))["main-0"]
    assert (waiting.state, waiting.waiting) == ("starting", "Waiting for 0.1 CPU.")
    let_in = {
        "kind": "PodGroup",
        "metadata": {"namespace": "pumpkin-lab", "name": "g", "uid": "g", "labels": names.labels(KEY)},
        "status": {"phase": "Inqueue"},
    }
    runtime._state.note(let_in)  # pyright: ignore[reportPrivateUsage]
    assert (await runtime.observe(KEY))["main-0"].waiting == "Admitted, its pod is being made."
    lost = (await runtime.observe(KEY))["main-0"]
    assert (lost.state, lost.started, lost.cause) == ("lost", None, "the cluster let it in and made no pod for it")
    assert (await runtime.observe(KEY))["main-0"] == lost


async def test_who_took_a_pod_away_stays_known_though_its_kubelet_forgets_it(
    runtime: VolcanoRuntime, tmp_path: Path
) -> None:
    records = Records(tmp_path / "runs")
    records.remember(runtime.settings, LAUNCH)

    async def over(_: Key) -> None:
        return

    keeper = Keeper(runtime.api, records, changed=lambda _: None, over=over)
    ended = replace(pod(), phase="Failed", deleted=1500)
    taken = replace(
        ended, phase="Running", main=replace(ended.main, state="running"), disruption="PreemptionByScheduler"
    )
    keeper.heard(None, taken)
    keeper.heard(taken, ended)
    await keeper.settled(KEY, 10)
    seen = records.exited(KEY, "main-0")
    assert seen is not None
    assert seen.cause == "it was preempted by other workloads"
