"""Sending results to a server that loses answers, refuses, or is away."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pumpkin.notebook import results
from pumpkin.notebook.platform import Platform, Refused
from pumpkin.notebook.results import Cell, Results


class Server(ThreadingHTTPServer):
    """Takes updates as the platform does. `faults`: what to do with the next requests, one each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: list[int | str] = []
        self.asked: list[list[dict[str, Any]]] = []
        self.cells: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        cells = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["cells"]
        self.server.asked.append(cells)
        fault = self.server.faults.pop(0) if self.server.faults else 204
        if fault in (204, "lost"):
            for cell in cells:
                if cell["sequence"] > self.server.cells.get(cell["cell"], {"sequence": 0})["sequence"]:
                    self.server.cells[cell["cell"]] = cell
        if fault == "lost":
            self.connection.close()
            return
        if isinstance(fault, str):  # the Hub's, while the service is away
            self.send_response(302 if fault == "elsewhere" else 200)
            self.send_header("Location", "/hub/login")
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = json.dumps({"detail": f"No: {fault}."}).encode() if fault != 204 else b""
        self.send_response(int(fault))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/problem+json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def cells(number: int, words: str = "hello") -> list[Cell]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": words}]
    return [Cell({"id": f"c{at}", "outputs": [dict(outputs[0])]}, position=at) for at in range(number)]


def platform(server: Server) -> Platform:
    return Platform(server.url, token="t", workload="w")


async def send_all(server: Server, made: list[Cell], *, patience: float = 20) -> bool:
    sender = Results(platform(server))
    sender.changed(*made)
    sender.close(patience=patience)
    return await sender.work()


@pytest.mark.parametrize("faults", [[], [503], [500, "lost"], ["lost", 429, "lost"], ["elsewhere", "page"]])
async def test_everything_arrives_whatever_happens_on_the_way(server: Server, faults: list[int | str]) -> None:
    server.faults = faults
    made = cells(3)
    for cell in made:
        cell.begin()
        cell.end("done")
    assert await send_all(server, made)
    assert {name: cell["state"] for name, cell in server.cells.items()} == dict.fromkeys(("c0", "c1", "c2"), "done")
    assert all(cell["outputs"][0]["text"] == "hello" for cell in server.cells.values())
    assert all(cell["started"] <= cell["finished"] for cell in server.cells.values())


async def test_only_the_newest_state_is_sent_a_few_times_a_second(server: Server) -> None:
    [cell] = cells(1, "")
    sender = Results(platform(server))
    working = asyncio.create_task(sender.work())
    for _ in range(100):
        cell.document["outputs"][0]["text"] += "x"
        sender.changed(cell)
        await asyncio.sleep(0.01)
    sender.close()
    assert await working
    assert server.cells["c0"]["outputs"][0]["text"] == "x" * 100
    assert 2 < len(server.asked) < 9
    sequences = [asked[0]["sequence"] for asked in server.asked]
    assert sequences == sorted(set(sequences))


async def test_one_request_is_no_larger_than_the_platform_takes(server: Server) -> None:
    assert await send_all(server, cells(4, "x" * (3 << 20)))
    assert [len(asked) for asked in server.asked] == [2, 2]


@pytest.mark.parametrize("status", [413, 422])
async def test_outputs_that_are_refused_are_left_out_and_the_state_is_told(server: Server, status: int) -> None:
    server.faults = [status]
    assert await send_all(server, cells(1))
    assert "in the job's log only: No: " in server.cells["c0"]["outputs"][0]["text"]


@pytest.mark.parametrize("faults", [[401], [409], [422, 422]])
async def test_who_is_refused_for_good_asks_no_more(server: Server, faults: list[int | str]) -> None:
    server.faults = faults
    asked = len(faults)
    assert not await send_all(server, cells(1))
    assert len(server.asked) == asked


async def test_patience_ends(server: Server) -> None:
    server.faults = [503] * 1000
    assert not await asyncio.wait_for(send_all(server, cells(1), patience=0.5), 5)


def test_outside_of_a_job_it_says_so() -> None:
    with pytest.raises(Refused, match="PUMPKIN_URL"):
        Platform.of({})


def test_the_note_is_known_again() -> None:
    note = [dict(results.NOTE, text="The outputs are in the job's log only: No.\n")]
    assert results.is_noted({"outputs": note})
    assert not results.is_noted({"outputs": [*note, *note]})
