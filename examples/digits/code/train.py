"""Train on the dataset's train.csv, log a curve, leave the model in the output folder."""

from __future__ import annotations

import numpy as np
from digits import Network, load

import pumpkin


def main() -> None:
    """Train; EPOCHS, HIDDEN and RATE are variables of the job."""
    epochs = int(pumpkin.params.number("EPOCHS", 40))
    hidden = int(pumpkin.params.number("HIDDEN", 64))
    rate = pumpkin.params.number("RATE", 0.3)
    random = np.random.default_rng(0)
    images, digits = load(pumpkin.dataset() / "train.csv")
    # A tenth is kept aside to watch over-fitting; the test file is for scoring only.
    aside = len(digits) // 10
    order = random.permutation(len(digits))
    watch, learn = order[:aside], order[aside:]
    network = Network.fresh(hidden, random)
    print(f"training on {len(learn)} images, {epochs} epochs, {hidden} hidden units", flush=True)
    for epoch in range(1, epochs + 1):
        order = random.permutation(learn)
        losses = [
            network.learn(images[batch], digits[batch], rate)
            for batch in np.array_split(order, max(len(order) // 32, 1))
        ]
        accuracy = network.accuracy(images[watch], digits[watch])
        pumpkin.log_metrics(step=epoch, loss=np.mean(losses), validation_accuracy=accuracy)
        if epoch == 1 or epoch % 10 == 0:
            print(f"epoch {epoch}: loss {np.mean(losses):.4f}, validation accuracy {accuracy:.4f}", flush=True)
    network.save(pumpkin.output() / "model.npz")


if __name__ == "__main__":
    main()
