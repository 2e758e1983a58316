"""An import outlives the service that carries it out."""

import threading
from collections.abc import Callable, Iterator

import pytest

from pumpkin import Client
from tests.integration.house import House
from tests.unit.artifacts.elsewhere import Reply, serve
from tests.unit.artifacts.test_archives import make_zip


@pytest.mark.timeout(300)
def test_an_import_goes_on_after_the_service_was_killed(make_platform: Callable[[], House]):
    data = make_zip(("a.txt", b"hello"))
    killed = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield data[:50]
        killed.wait(240)
        yield data[50:]

    with serve() as elsewhere:
        elsewhere.replies["/a.zip"] = Reply(slowly, length=len(data))
        house = make_platform()
        house.configure(
            f"c.Platform.import_hosts = {elsewhere.hosts}\nc.Platform.import_networks = ['127.0.0.0/8', '::1/128']\n"
        )
        house.up()
        with Client(house.url, house.user("ann").token) as client:
            client.datasets.create("digits")
            made = client.datasets.begin_import("digits", elsewhere.url("/a.zip"))
            one = next(client.datasets.imports("digits"))
            while one.fetched < 50:
                assert one.finished is None, one.error
                one = next(client.datasets.imports("digits"))
            pid = house.kill("service")
            killed.set()
            house.wait(lambda: house.pids("service") not in ([], [pid]) and house.answers())
            while one.finished is None:
                one = next(client.datasets.imports("digits"))
            assert (one.id, one.state, one.number) == (made.id, "ready", 1)
            assert client.datasets.read("digits@1", "a.txt") == b"hello"
            assert [version.number for version in client.datasets.versions("digits")] == [1]
        assert [path for path, _ in elsewhere.asked] == ["/a.zip", "/a.zip"]
