"""Score the model this job was given on the dataset's test.csv, which no training has seen."""

from __future__ import annotations

from digits import Network, load

import pumpkin


def main() -> None:
    """Log the accuracy on the held-out images."""
    network = Network.load(pumpkin.pretrained() / "model.npz")
    images, digits = load(pumpkin.dataset() / "test.csv")
    accuracy = network.accuracy(images, digits)
    pumpkin.log_metrics(accuracy=accuracy)
    print(f"held-out accuracy {accuracy:.4f} on {len(digits)} images")


if __name__ == "__main__":
    main()
