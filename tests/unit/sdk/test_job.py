import json
import subprocess
import sys
from pathlib import Path

import pytest

import pumpkin
from pumpkin_services.pipeline.sdk import sdk_folder, with_sdk


def test_a_metric_is_one_line_of_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PUMPKIN_METRICS", str(tmp_path / "m"))
    pumpkin.log_metrics(step=3, loss=0.5, accuracy=1)
    pumpkin.log_metrics(step=4, loss=float("nan"))
    lines = [json.loads(line) for line in (tmp_path / "m").read_text().splitlines()]
    assert [(line["step"], line["values"]) for line in lines] == [
        (3, {"loss": 0.5, "accuracy": 1.0}),
        (4, {"loss": None}),
    ]


def test_outside_of_a_job_metrics_are_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PUMPKIN_METRICS", raising=False)
    pumpkin.log_metrics(step=1, loss=0.25)
    assert "loss=0.25" in capsys.readouterr().out


def test_a_metric_that_is_no_number_is_refused_by_name():
    with pytest.raises(TypeError, match="the metric loss"):
        pumpkin.log_metrics(loss="low")  # pyright: ignore[reportArgumentType]


def test_metrics_on_a_full_disk_do_not_end_the_training(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PUMPKIN_METRICS", "/dev/full")
    pumpkin.log_metrics(loss=1)


def test_the_only_dataset_needs_no_name_and_of_two_one_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PUMPKIN_DATASETS", str(tmp_path))
    (tmp_path / "digits").mkdir()
    assert pumpkin.dataset() == tmp_path / "digits"
    (tmp_path / "letters").mkdir()
    assert pumpkin.dataset("letters") == tmp_path / "letters"
    with pytest.raises(FileNotFoundError, match="digits, letters"):
        pumpkin.dataset()


def test_a_parameter_is_a_number_or_a_sentence_about_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RATE", "0.1")
    assert pumpkin.params.number("RATE", 1.0) == 0.1
    monkeypatch.setenv("RATE", "fast")
    with pytest.raises(ValueError, match="RATE is 'fast'"):
        pumpkin.params.number("RATE", 1.0)


def test_a_python_with_nothing_installed_can_log_metrics(tmp_path: Path):
    folder = sdk_folder(tmp_path)
    assert folder is not None
    assert sdk_folder(tmp_path) == folder
    # -S: no site-packages, so that only the standard library and the copy are there.
    command = [sys.executable, "-S", "-c", "import pumpkin; pumpkin.log_metrics(step=1, a=2); print(pumpkin.__file__)"]
    told = subprocess.run(command, env=with_sdk({}, folder), capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[0] == "step 1  a=2.0"
    assert str(folder) in told.stdout
    assert with_sdk({"PYTHONPATH": "/mine"}, folder)["PYTHONPATH"] == f"/mine:{folder}"
