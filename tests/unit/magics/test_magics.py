import pytest
from IPython.core.interactiveshell import InteractiveShell

from pumpkin.magics.curves import curves
from tests.unit.magics.platform import JOB, Platform, workload
from tests.unit.sdk.upstream import Upstream, problem, upstream


def test_a_refusal_is_one_sentence_and_stops_run_all(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    refused = problem(422, "There is no spec 'huge'. You may use: cpu-small.")
    with upstream(lambda *_: refused) as server:
        monkeypatch.setenv("PUMPKIN_URL", server.url)
        monkeypatch.setenv("PUMPKIN_TOKEN", "t")
        result = shell.run_cell("%%pumpkin job --spec huge\nprint(1)")
    told = capsys.readouterr()
    assert not result.success
    assert "There is no spec 'huge'" in told.err
    assert "Traceback" not in told.err + told.out


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("%pumpkin nonsense", "There is no '%pumpkin nonsense'"),
        ("%%pumpkin job --spec s\n!ls", "is not Python"),
        ("%%pumpkin job\nprint(1)", "--spec"),
        ('%pumpkin attach "', "cannot be read"),
        ("%pumpkin jobs", "not logged in"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    shell: InteractiveShell, cell: str, sentence: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: object,
):  # fmt: skip
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("PUMPKIN_TOKEN", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert not shell.run_cell(cell).success
    told = capsys.readouterr()
    assert sentence in told.err
    assert "Traceback" not in told.err


def test_curves_are_drawn_with_their_last_values_and_names_are_text():
    drawn = curves({"loss": [(0, 1.0), (1, None), (2, 0.25)], "<b>": [(0, 1.0)], "empty": [(0, None)]})
    assert drawn.count("<svg") == 2
    assert "loss 0.25" in drawn
    assert "<b>" not in drawn
    assert curves({}) == ""


def test_outside_of_notebooks_attach_means_the_newest_job(
    shell: InteractiveShell, platform: Platform, server: Upstream, capsys: pytest.CaptureFixture[str]
):
    platform.jobs = [workload("newest", phase="succeeded"), workload("older", id="7" * 26)]
    assert shell.run_cell("%pumpkin attach").success
    assert f"job {JOB}\nnewest succeeded" in capsys.readouterr().out
    platform.jobs = []
    assert not shell.run_cell("%pumpkin attach").success
    assert "You submitted no job yet" in capsys.readouterr().err
