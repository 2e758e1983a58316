"""What training and scoring share: reading the images, and the model. NumPy alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Digits = NDArray[np.int64]


def load(path: Path) -> tuple[Floats, Digits]:
    """Return the images of a CSV file, shape (n, 64) with values 0 to 1, and their digits, shape (n,)."""
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :-1] / 16, table[:, -1].astype(np.int64)


class Network:
    """One hidden layer of rectified units and a softmax over the ten digits."""

    def __init__(self, weights: dict[str, Floats]) -> None:
        self.weights = weights

    @classmethod
    def fresh(cls, hidden: int, random: np.random.Generator) -> Network:
        """Return an untrained network."""
        return cls(
            {
                "w1": random.normal(0, np.sqrt(2 / 64), (64, hidden)),
                "b1": np.zeros(hidden),
                "w2": random.normal(0, np.sqrt(2 / hidden), (hidden, 10)),
                "b2": np.zeros(10),
            }
        )

    @classmethod
    def load(cls, path: Path) -> Network:
        """Return the network kept in `path`."""
        with np.load(path) as kept:
            return cls({name: kept[name] for name in kept.files})

    def save(self, path: Path) -> None:
        """Keep the network in `path`, an .npz file."""
        np.savez(path, **self.weights)  # pyright: ignore[reportArgumentType]

    def forward(self, images: Floats) -> tuple[Floats, Floats]:
        """Return the hidden layer's values and the probabilities of the digits, shapes (n, hidden) and (n, 10)."""
        hidden = np.maximum(images @ self.weights["w1"] + self.weights["b1"], 0)
        scores = hidden @ self.weights["w2"] + self.weights["b2"]
        exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
        return hidden, exponents / exponents.sum(axis=1, keepdims=True)

    def accuracy(self, images: Floats, digits: Digits) -> float:
        """Return the share of images whose likeliest digit is the right one."""
        return float((self.forward(images)[1].argmax(axis=1) == digits).mean())

    def learn(self, images: Floats, digits: Digits, rate: float) -> float:
        """Take one step of gradient descent on a batch; return its mean loss before the step."""
        hidden, odds = self.forward(images)
        count = len(digits)
        loss = float(-np.log(odds[np.arange(count), digits] + 1e-12).mean())
        error = odds.copy()
        error[np.arange(count), digits] -= 1
        error /= count
        back = (error @ self.weights["w2"].T) * (hidden > 0)
        steps = {"w2": hidden.T @ error, "b2": error.sum(axis=0), "w1": images.T @ back, "b1": back.sum(axis=0)}
        for name, step in steps.items():
            self.weights[name] -= rate * step
        return loss
