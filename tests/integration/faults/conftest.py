"""Fixtures of the tests that break things.

`busy_house`: an instance with eight slots that cost money (spec `slot`) and a user, `ann`, who has money.
`disks`: a factory of small disks.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.faults.disks import Disk
from tests.integration.house import House, User

SLOTS = 8
PRICE = 12_345_678_901
"""Micro-units per hour: an odd number, so that rounding would show."""
MONEY = 10**12


def open_for_business(house: House) -> User:
    """Make the spec `slot`, an eighth of the machine, and the user `ann` with `MONEY`; return her."""
    api = house.admin.api
    [node] = api.get("/resources/nodes").json()["items"]
    spec = {"name": "slot", "cpu_milli": node["usable_cpu_milli"] // SLOTS, "memory": 64 << 20, "price_micro": PRICE}
    assert api.post("/resources/specs", json=spec).status_code == 201
    return with_money(house)


def with_money(house: House) -> User:
    """Make the user `ann`, whose workspace has `MONEY`; return her."""
    ann = house.user("ann")
    assert ann.api.get("/accounts/me").status_code == 200
    paid = house.admin.api.post("/billing/recharges", json={"workspace": "ann", "amount_micro": MONEY})
    assert paid.status_code == 201, paid.text
    return ann


@pytest.fixture
def busy_house(make_platform: Callable[[], House]) -> tuple[House, User]:
    house = make_platform().up()
    return house, open_for_business(house)


@pytest.fixture
def disks() -> Iterator[Callable[..., Disk]]:
    """A factory of disks; they are unmounted last, when the platform on them is down."""
    made: list[Disk] = []

    def make(path: Path, *, size: int) -> Disk:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.append(Disk(path, size=size))
        return made[-1]

    yield make
    for disk in made:
        subprocess.run(["umount", "--lazy", str(disk.path)], check=False)
