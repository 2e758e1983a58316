"""Journey 1: a folder becomes a dataset, another an algorithm; a job makes a model of them; the next job uses it."""

from __future__ import annotations

from pathlib import Path

from pumpkin import Client
from tests.integration.house import House
from tests.integration.journeys.files import code_folder, data_folder


def test_from_a_folder_of_data_to_a_model_in_use(house: House, tmp_path: Path):
    ann = house.user("ann")
    home = house.data / "homes" / "ann"
    with Client(house.url, ann.token) as client:
        data = client.datasets.push(data_folder(tmp_path, "line"), "line", type="table")
        code = client.algorithms.push(code_folder(tmp_path, "fit"), "fit", framework="none")
        assert (data.number, data.files, code.number, code.files) == (1, 1, 1, 2)
        train = client.jobs.submit(
            "train",
            "python $PUMPKIN_CODE/train.py",
            spec="cpu-small",
            datasets=["line"],
            algorithm="fit@1",
            output="line-model",
            env={"WAIT": "seen"},
        )

        # Log and curve are there while it runs: it waits for us.
        log = client.jobs.follow_log(train.id)
        curve = client.jobs.follow_metrics(train.id)
        happened = client.jobs.follow_events(train.id)
        assert [next(happened).type for _ in range(3)] == ["queued", "placed", "running"]
        assert next(log).json()["text"] == "first epoch\n"
        first = next(curve)
        assert (first.name, first.step) == ("loss", 1)
        assert client.jobs.get(train.id).phase == "running"
        (home / "seen").touch()
        assert "".join(piece.json()["text"] for piece in log) == "last epoch\n"
        losses = [first, *curve]
        assert [point.step for point in losses] == [*range(1, 201)]
        values = [point.value for point in losses if point.value is not None]
        assert values[0] > 1 > 0.001 > values[-1]
        assert [event.type for event in happened][-1] == "succeeded"

        ended = client.jobs.get(train.id)
        assert (ended.phase, ended.output) == ("succeeded", "ann/line-model@1")
        lineage = client.models.lineage("line-model@1")
        assert (lineage.job, lineage.attempt) == (train.id, 1)
        assert (lineage.code, lineage.datasets) == ("ann/fit@1", ["ann/line@1"])
        assert lineage.environment == f"{ended.environment} {lineage.environment.split()[-1]}"
        assert lineage.metrics == {"loss": values[-1]}
        assert lineage.parameters["main"]["env"] == {"WAIT": "seen"}

        score = client.jobs.submit(
            "score", "python $PUMPKIN_CODE/score.py", spec="cpu-small", algorithm="fit", models=["line-model"]
        )
        assert client.jobs.wait(score.id).phase == "succeeded"
        assert client.jobs.log(score.id) == b"y = 3.00 x + 1.00\n"
        assert client.jobs.get(score.id).models == ["ann/line-model@1"]

        # Better data makes the next versions; the first ones stay as they were.
        more = tmp_path / "line" / "line.csv"
        more.write_text(more.read_text() + "\n2.0,7.0")
        assert client.datasets.push(tmp_path / "line", "line").number == 2
        again = client.jobs.rerun(train.id)
        assert client.jobs.wait(again.id).output == "ann/line-model@2"
        assert client.models.lineage("line-model").datasets == ["ann/line@2"]
        assert client.models.lineage("line-model@1").datasets == ["ann/line@1"]


def test_what_a_job_is_given_is_read_only_and_what_it_must_not_see_is_not_there(house: House, tmp_path: Path):
    ann, bob = house.user("ann"), house.user("bob")
    with Client(house.url, ann.token) as client:
        client.datasets.push(data_folder(tmp_path, "sealed"), "sealed")
        command = (
            'echo x > "$PUMPKIN_DATASETS/sealed/line.csv" && echo WROTE; '
            'rm -f "$PUMPKIN_DATASETS/sealed/line.csv"; ls "$PUMPKIN_DATASETS"; '
            f"cat {house.data}/platform.sqlite > /dev/null && echo READ; ls {house.data}/homes && echo LISTED; true"
        )
        job = client.jobs.submit("prying", command, spec="cpu-small", datasets=["sealed"])
        assert client.jobs.wait(job.id).phase == "succeeded"
        said = client.jobs.log(job.id).decode()
        assert "sealed\n" in said
        assert not {"WROTE", "READ", "LISTED"} & set(said.split())
        assert client.datasets.read("sealed", "line.csv").startswith(b"x,y")
        with Client(house.url, bob.token) as other:
            assert other.request("GET", "/datasets").json()["items"] == []
