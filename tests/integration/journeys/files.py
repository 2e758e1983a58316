"""The folders people bring: a small table, and code that learns from it."""

from __future__ import annotations

from pathlib import Path

TRAIN = """
import json, os, pathlib, time
import pumpkin

rows = [line.split(",") for line in (pumpkin.dataset() / "line.csv").read_text().split()[1:]]
xs, ys = [float(x) for x, _ in rows], [float(y) for _, y in rows]
slope, offset = 0.0, 0.0
for epoch in range(1, 201):
    errors = [slope * x + offset - y for x, y in zip(xs, ys)]
    loss = sum(error * error for error in errors) / len(errors)
    pumpkin.log_metrics(step=epoch, loss=loss)
    if epoch == 1:
        print("first epoch", flush=True)
        # Somebody looks at the log and the curve now, and only then lets it go on.
        while os.environ.get("WAIT") and not (pathlib.Path(os.environ["PUMPKIN_HOME"]) / os.environ["WAIT"]).exists():
            time.sleep(0.05)
    slope -= 0.5 * sum(error * x for error, x in zip(errors, xs)) / len(xs)
    offset -= 0.5 * sum(errors) / len(xs)
print("last epoch", flush=True)
(pumpkin.output() / "line.json").write_text(json.dumps({"slope": slope, "offset": offset}))
"""

SCORE = """
import json
import pumpkin

line = json.loads((pumpkin.pretrained() / "line.json").read_text())
pumpkin.log_metrics(slope=line["slope"], offset=line["offset"])
print(f"y = {line['slope']:.2f} x + {line['offset']:.2f}")
"""


def data_folder(root: Path, name: str) -> Path:
    """Write the table: points of the line y = 3 x + 1."""
    folder = root / name
    folder.mkdir()
    points = [f"{x / 10},{3 * x / 10 + 1}" for x in range(-10, 11)]
    (folder / "line.csv").write_text("\n".join(["x,y", *points]))
    return folder


def code_folder(root: Path, name: str) -> Path:
    """Write the code: `train.py` and `score.py`."""
    folder = root / name
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "score.py").write_text(SCORE)
    return folder
