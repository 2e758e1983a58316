"""What a pod asks again for, and what it takes for an answer."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pumpkin.errors import PumpkinError
from pumpkin.pod import agent, inputs
from pumpkin.pod.cache import Cache
from pumpkin.pod.settings import Pod
from tests.unit.sdk.upstream import Request, Upstream, ok, problem, upstream

SOURCE = "datasets/lab/digits/versions/3"
CONTENT = b"0,1,2"
Answer = tuple[int, dict[str, str], bytes]


def pod(server: Upstream, folder: Path, *sources: str) -> Pod:
    return Pod.of(
        {
            "PUMPKIN_URL": server.url,
            "PUMPKIN_TOKEN": "t",
            "PUMPKIN_WORKLOAD": "w",
            "PUMPKIN_REPLICA": "main-0",
            "PUMPKIN_POD_INPUTS": json.dumps([{"source": source, "target": "/dataset/x"} for source in sources]),
            "PUMPKIN_POD_CACHE": str(folder / "cache"),
            "PUMPKIN_METRICS": str(folder / "metrics.jsonl"),
            "PUMPKIN_OUTPUT": str(folder / "output"),
        }
    )


def version(request: Request) -> Answer:
    """Answer as the platform does, with a version of one file."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    size = len(CONTENT)
    if request.path.endswith("/manifest"):
        chunks = [{"hash": digest, "size": size}]
        line = {"path": "a.csv", "size": size, "mode": 0o644, "sha256": digest, "chunks": chunks}
        return 200, {}, gzip.compress(json.dumps(line).encode() + b"\n")
    if "/objects?" in request.path:
        chunk = {"hash": digest, "offset": 0, "size": size}
        item = {"id": "o", "size": size, "url": "/o", "expires": "2100-01-01T00:00:00Z", "chunks": [chunk]}
        return ok({"items": [item], "next": None})
    return 200, {}, CONTENT


def at_first(count: int, trouble: Answer) -> Callable[[Request, int], Answer]:
    return lambda request, number: trouble if number <= count else version(request)


def always(trouble: Answer) -> Callable[[Request, int], Answer]:
    return lambda request, number: trouble


@pytest.mark.parametrize(
    "trouble",
    [
        problem(401, "This workload token is not valid, or its workload has ended."),
        problem(500, "Something broke."),
        (404, {"Content-Type": "text/html"}, b"<html>the Hub, while the service starts</html>"),
    ],
)
def test_an_input_is_asked_for_again_while_the_trouble_may_pass(trouble: Answer, tmp_path: Path) -> None:
    with upstream(at_first(3, trouble)) as server:
        inputs.fetch(pod(server, tmp_path, SOURCE))
        assert (Cache(tmp_path / "cache").path(SOURCE) / "a.csv").read_bytes() == CONTENT
        count = len(server.requests)
        inputs.fetch(pod(server, tmp_path, SOURCE))
        assert len(server.requests) == count, "what is in the cache is not asked for"


def test_patience_ends_with_one_sentence(tmp_path: Path) -> None:
    with upstream(always(problem(401, "This token is not valid."))) as server:
        with pytest.raises(PumpkinError) as caught:
            inputs.fetch(pod(server, tmp_path, SOURCE), patience=0.5)
        assert str(caught.value) == f"The input {SOURCE} cannot be had: This token is not valid."
        assert len(server.requests) > 1


def test_what_is_refused_for_good_is_not_asked_for_again(tmp_path: Path) -> None:
    with upstream(always(problem(404, "There is no such version."))) as server:
        with pytest.raises(PumpkinError, match="There is no such version"):
            inputs.fetch(pod(server, tmp_path, SOURCE))
        assert len(server.requests) == 1
    assert not Cache(tmp_path / "cache").path(SOURCE).exists()


def test_an_agent_told_to_end_sends_what_is_left_first(tmp_path: Path) -> None:
    """The token is early, the first batch is refused for good: the second is still sent."""
    line = json.dumps({"time": 5.0, "values": {"loss": 1}}) + "\n"
    (tmp_path / "metrics.jsonl").write_text(line * 1500)

    def answer(request: Request, number: int) -> Answer:
        if number < 3:
            return problem(401, "This token is not valid.")
        return problem(422, "Something is wrong.") if number == 3 else (204, {}, b"")

    ended = threading.Event()
    ended.set()
    with upstream(answer) as server:
        agent.run(pod(server, tmp_path), ended)
        sent = [len(json.loads(request.body)["lines"]) for request in server.requests]
    assert sent == [1000, 1000, 1000, 500]


def test_a_command_outside_of_a_pod_says_what_is_missing() -> None:
    with pytest.raises(PumpkinError, match="'PUMPKIN_URL' is not set"):
        Pod.of({})
