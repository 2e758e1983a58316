"""Fit a line with every replica looking at its own share of the points: gradients are summed round the ring.

Run it with any number of replicas, on one machine or on many: the model is the same but for rounding.
"""

from __future__ import annotations

import numpy as np
from ring import Ring

import pumpkin

TRUE = np.array([3.0, -2.0, 0.5, 1.0])


def main() -> None:
    """Train; POINTS (of all replicas together), STEPS and RATE are variables of the job."""
    points = int(pumpkin.params.number("POINTS", 20_000))
    steps = int(pumpkin.params.number("STEPS", 50))
    rate = pumpkin.params.number("RATE", 0.3)
    with Ring.of_job() as ring:
        inputs = np.random.default_rng(0).normal(size=(points, len(TRUE)))[ring.rank :: ring.size]
        targets = inputs @ TRUE
        weights = np.zeros_like(TRUE)
        print(f"rank {ring.rank} of {ring.size}: {len(inputs)} points", flush=True)
        loss = float("inf")
        for step in range(1, steps + 1):
            errors = inputs @ weights - targets
            mine = np.append(inputs.T @ errors, errors @ errors)
            total = ring.all_reduce(mine) / points
            weights -= rate * total[:-1]
            loss = float(total[-1])
            if ring.rank == 0:
                pumpkin.log_metrics(step=step, loss=loss)
        print(f"rank {ring.rank} of {ring.size}: loss {loss:.2e}, weights {np.round(weights, 3).tolist()}", flush=True)
        if ring.rank == 0:
            np.savez(pumpkin.output() / "model.npz", weights=weights)


if __name__ == "__main__":
    main()
