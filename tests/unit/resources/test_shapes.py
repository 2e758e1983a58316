from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpkin_services.resources.detect import detect_node
from pumpkin_services.resources.models import Accelerator
from pumpkin_services.resources.shapes import Demand, NodeCapacity, describe, place, place_one, seed_specs, take
from tests.unit.resources.conftest import machine

GIB = 1 << 30
accelerators = st.lists(st.sampled_from(["H200", "NVIDIA A100-SXM4-80GB", "¡¿"]), max_size=9).map(
    lambda kinds: tuple(Accelerator(index=index, type=kind) for index, kind in enumerate(kinds))
)
machines = st.builds(
    NodeCapacity,
    name=st.just("here"),
    cpu_milli=st.integers(1, 512_000),
    memory=st.integers(1, 4096 * GIB),
    accelerators=accelerators,
)


@given(node=machines)
def test_no_seeded_spec_is_more_than_the_machine_has(node: NodeCapacity) -> None:
    specs = seed_specs(node)
    assert len({spec.name for spec in specs}) == len(specs)
    assert specs[0].name == "cpu-small"
    assert specs[0].price_micro == 0
    for spec in specs:
        demand = Demand(
            cpu_milli=spec.cpu_milli,
            memory=spec.memory,
            accelerators=spec.accelerators,
            accelerator_type=spec.accelerator_type,
        )
        assert place_one(node, demand) is not None
    assert all(spec.price_micro > 0 for spec in specs[1:])


@pytest.mark.parametrize(
    ("node", "names"),
    [
        (machine(cores=0.5, gib=0.25), ["cpu-small"]),
        (machine(cores=1, gib=1), ["cpu-small"]),
        (machine(cores=2, gib=4), ["cpu-small", "cpu-large"]),
        (machine(cores=64, gib=512), ["cpu-small", "cpu-large"]),
        (machine(cores=16, gib=128, gpus=1), ["cpu-small", "cpu-large", "h200-1"]),
        (machine(cores=96, gib=768, gpus=8), ["cpu-small", "cpu-large", "h200-1", "h200-2", "h200-4", "h200-8"]),
        (machine(cores=96, gib=768, gpus=3), ["cpu-small", "cpu-large", "h200-1", "h200-2"]),
    ],
)
def test_specs_suit_the_machine(node: NodeCapacity, names: list[str]) -> None:
    assert [spec.name for spec in seed_specs(node)] == names


def test_every_gpu_of_a_machine_can_be_used_at_once() -> None:
    node = machine(cores=96, gib=768, gpus=8)
    one = next(spec for spec in seed_specs(node) if spec.name == "h200-1")
    demand = Demand(cpu_milli=one.cpu_milli, memory=one.memory, accelerators=1, accelerator_type="H200")
    placements = place([node], [demand] * 8)
    assert placements is not None
    assert sorted(index for spot in placements for index in spot.accelerators) == list(range(8))
    assert place([node], [demand] * 9) is None


demands = st.builds(
    Demand, cpu_milli=st.integers(1, 9000), memory=st.integers(1, 40 * GIB), accelerators=st.integers(0, 3)
)


@given(wanted=st.lists(demands, max_size=8))
def test_what_is_placed_fits_where_it_was_placed(wanted: list[Demand]) -> None:
    nodes = {node.name: node for node in (machine("a"), machine("b", gpus=4), machine("c", cores=4, gib=64))}
    placements = place(list(nodes.values()), wanted)
    if placements is None:
        return
    for demand, spot in zip(wanted, placements, strict=True):
        left = nodes[spot.node] = take(nodes[spot.node], demand, spot)
        assert len(spot.accelerators) == demand.accelerators
        assert left.cpu_milli >= 0
        assert left.memory >= 0
    used = [(spot.node, index) for spot in placements for index in spot.accelerators]
    assert len(used) == len(set(used))


def test_a_cpu_job_leaves_the_gpus_alone() -> None:
    spots = place([machine("gpu", gpus=8), machine("cpu")], [Demand(cpu_milli=1000, memory=GIB)])
    assert spots is not None
    assert spots[0].node == "cpu"


def test_another_type_of_accelerator_does_not_do() -> None:
    node = machine(gpus=2, kind="A100")
    assert place_one(node, Demand(cpu_milli=1, memory=1, accelerators=1, accelerator_type="H200")) is None
    assert place_one(node, Demand(cpu_milli=1, memory=1, accelerators=1)) is not None


def test_this_machine_is_found_as_it_is() -> None:
    node = detect_node("me")
    assert node.name == "me"
    assert node.cpu_milli >= 1
    assert node.memory > 1 << 20


def test_a_shape_is_described_for_people() -> None:
    assert describe(1500, 4 * GIB) == "1.5 cores, 4 GiB"
    assert describe(8000, GIB // 2, 2, "H200") == "8 cores, 0.5 GiB, 2 x H200"
