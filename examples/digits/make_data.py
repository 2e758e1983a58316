"""Write the UCI handwritten digits as CSV files into `examples/digits/data`.

The data is scikit-learn's own packaged copy: 1,797 images of 8 x 8 pixels (values 0 to 16), one row each, the last
column `digit` is what was written. Four fifths of each digit are in train.csv, one fifth in test.csv, split with
random state 0.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

FOLDER = Path(__file__).parent / "data"


def main() -> None:
    """Write both files; the same bytes every time."""
    images: Any
    digits: Any
    images, digits = load_digits(return_X_y=True)
    parts = train_test_split(images, digits, test_size=0.2, random_state=0, stratify=digits)
    FOLDER.mkdir(exist_ok=True)
    for name, pixels, labels in (("train", parts[0], parts[2]), ("test", parts[1], parts[3])):
        with (FOLDER / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*(f"pixel{number}" for number in range(64)), "digit"])
            writer.writerows([*map(int, row), int(label)] for row, label in zip(pixels, labels, strict=True))
        print(f"{FOLDER / name}.csv: {len(labels)} images")


if __name__ == "__main__":
    main()
