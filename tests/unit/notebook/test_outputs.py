"""Outputs as the platform takes them, and notebooks as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpkin import _ipynb
from pumpkin.errors import PumpkinError
from pumpkin.notebook import outputs
from pumpkin_services.workloads.notebook_models import CellUpdate
from pumpkin_services.workloads.notebook_models import dump as kept

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=3))
def test_whatever_comes_out_of_a_cell_the_platform_takes(made: list[dict[str, Any]]) -> None:
    body = '{"cell":"a","sequence":1,"state":"done","outputs":' + outputs.dump(made) + "}"
    taken = CellUpdate.model_validate_json(body)
    assert "\\u0000" not in body
    kept(taken.outputs).encode()


def test_halves_of_characters_nuls_and_infinities_become_something_to_see() -> None:
    made: dict[str, Any] = {"a\0": "x\ud83cy", "b": [float("nan"), 1.5, {"c": float("-inf")}], "d": b"raw"}
    assert outputs.clean(made) == {"a\u2400": "x?y", "b": ["nan", 1.5, {"c": "-inf"}], "d": "b'raw'"}


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def error(trace: str = "here") -> dict[str, Any]:
    return {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": [trace]}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["a", "\x1b", "é", "𝄞", "\n"]), min_size=1, max_size=4), st.booleans())
def test_what_is_too_large_is_cut_to_what_fits_and_says_so(letters: list[str], failed: bool) -> None:
    text = "".join(letters) * (3 << 20)
    dumped = outputs.dump([stream("first\n"), stream(text), *([error()] if failed else []), stream("last")])
    assert len(dumped.encode()) <= outputs.MOST
    found = json.loads(dumped)
    assert found[0] == stream("first\n")
    if found[-1] != stream("last"):
        assert outputs.NOTE in found
        assert text.startswith(found[1]["text"])
        assert found[-1] == (error() if failed else outputs.NOTE)


def test_one_huge_picture_or_traceback_leaves_the_rest() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "x" * outputs.MOST}, "metadata": {}}
    assert json.loads(outputs.dump([stream("a"), picture, error()])) == [stream("a"), outputs.NOTE, error()]
    short: dict[str, Any] = error() | {"traceback": []}
    assert json.loads(outputs.dump([stream("a"), error("x" * outputs.MOST)])) == [stream("a"), outputs.NOTE, short]


@given(st.lists(st.text("ab\r\n\b", max_size=6), max_size=6))
def test_a_stream_ends_the_same_in_whatever_pieces_it_comes(pieces: list[str]) -> None:
    text = ""
    for piece in pieces:
        text = outputs.joined(text, piece)
    assert text == outputs.joined("", "".join(pieces))


def test_a_bar_of_progress_takes_one_line() -> None:
    bar = "".join(f"\r{n} %" for n in range(101))
    assert outputs.joined("start\n", f"{bar}\nend\r\nx\by") == "start\n100 %\nend\ny"
    assert outputs.joined("50 %\r", "51 %") == "51 %"


def test_an_old_notebook_gets_ids_and_a_job_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "source": "1", "outputs": [stream("old")], "metadata": {}},
        {"cell_type": "markdown", "source": "x", "metadata": {}, "id": "cell-1"},
    ]
    file = tmp_path / "Work" / "My Model.ipynb"
    file.parent.mkdir()
    file.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": cells}))
    read = _ipynb.read(file)
    assert (read["nbformat_minor"], [cell["id"] for cell in read["cells"]]) == (5, ["cell-1-2", "cell-1"])
    assert read["cells"][0]["outputs"] == []
    monkeypatch.setenv("PUMPKIN_HOME", str(tmp_path))
    assert _ipynb.home_path(file) == "Work/My Model.ipynb"
    monkeypatch.setenv("PUMPKIN_HOME", str(tmp_path / "elsewhere"))
    assert _ipynb.home_path(file) == "My Model.ipynb"
    assert _ipynb.job_name(str(file)) == "my-model"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [1], "nbformat": 4, "nbformat_minor": 5}'])
def test_what_is_no_notebook_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.ipynb").write_text(text)
    with pytest.raises(PumpkinError, match="is not a notebook"):
        _ipynb.read(tmp_path / "x.ipynb")
    with pytest.raises(PumpkinError, match="cannot be read"):
        _ipynb.read(tmp_path / "none.ipynb")
