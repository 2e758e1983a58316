"""From a folder of data to a scored model, through the platform's real API; `make demo` runs it.

Every step is one that a user would take. It ends with the held-out accuracy, read back from the platform, and fails
when that is below 0.95. It may be run again and again: what is there already is used.

With PUMPKIN_URL and PUMPKIN_TOKEN set it runs as whoever that is; else it logs in to the platform on this machine as
the user `demo`, whose password it replaces each time.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import make_data

from pumpkin import Client, PumpkinError, models
from pumpkin.cli import words
from pumpkin.login import request_token

HERE = Path(__file__).parent
USER = "demo"
GOAL = 0.95


def main() -> None:
    """Take the road."""
    url, token = log_in()
    with Client(url, token) as client:
        print(f"  logged in at {client.config.url} as {client.whoami().name}")
        spec = choose_spec(client)
        dataset = push_dataset(client)
        algorithm = push_algorithm(client)
        model = train(client, spec, dataset, algorithm)
        accuracy = score(client, spec, dataset, algorithm, model)
    print(f"\nHeld-out accuracy, read back from the platform: {accuracy:.4f}")
    if accuracy < GOAL:
        sys.exit(f"That is below {GOAL}.")


def log_in() -> tuple[str | None, str | None]:
    """Return an address and a token: those of the environment, or new ones of the user `demo`."""
    step("Log in")
    if os.environ.get("PUMPKIN_URL") and os.environ.get("PUMPKIN_TOKEN"):
        return None, None
    status = subprocess.run(
        [sys.executable, "-m", "pumpkin_hub", "status", "--json"], capture_output=True, text=True, check=False
    )
    url = json.loads(status.stdout or "{}").get("url")
    if not url:
        sys.exit("The platform does not answer on this machine: run 'make up' first.")
    once = subprocess.run(
        [sys.executable, "-m", "pumpkin_hub", "password", USER], capture_output=True, text=True, check=True
    ).stdout.strip()
    address = url.rstrip("/")
    return address, request_token(address, USER, once, new_password=secrets.token_urlsafe(16), note="make demo")


def choose_spec(client: Client) -> str:
    """Return the cheapest spec jobs may use."""
    step("Choose a spec")
    found = sorted(client.resources.specs(kind="job"), key=lambda spec: (spec.price_micro, spec.cpu_milli))
    if not found:
        sys.exit("There is no spec you may use: ask an admin for a pool.")
    spec = found[0]
    print(f"  {spec.name}: {words.shape(spec)}, {words.price(spec.price_micro)}")
    return spec.name


def push_dataset(client: Client) -> str:
    """Write the digits as CSV files and push them; return the version's reference."""
    step("Push the dataset")
    make_data.main()
    made = client.datasets.push(
        HERE / "data", "digits", type="table", labels=["uci", "demo"], description="UCI handwritten digits, 8 x 8."
    )
    return shown(f"{made.workspace}/{made.name}@{made.number}", made.files, made.bytes)


def push_algorithm(client: Client) -> str:
    """Push the code; return the version's reference."""
    step("Push the algorithm")
    made = client.algorithms.push(HERE / "code", "digits-mlp", framework="numpy", entrypoint="python train.py")
    return shown(f"{made.workspace}/{made.name}@{made.number}", made.files, made.bytes)


def train(client: Client, spec: str, dataset: str, algorithm: str) -> str:
    """Train, find the model with its lineage; return the model's reference."""
    step("Train")
    job = client.jobs.submit(
        "digits-train",
        'python "$PUMPKIN_CODE/train.py"',
        spec=spec,
        datasets=[dataset],
        algorithm=algorithm,
        output="digits-mlp",
        env={"EPOCHS": "40"},
    )
    ended = follow(client, job.id)
    for name in ("loss", "validation_accuracy"):
        values = [point.value for point in client.jobs.metrics(job.id, name=name) if point.value is not None]
        print(f"  {name}: {len(values)} values, {values[0]:.4f} to {values[-1]:.4f}")
    step("Find the model")
    lineage = client.models.lineage(ended.output)
    print(f"  {ended.output}, made by the job {lineage.job_name} ({lineage.job})")
    print(f"  from {lineage.code} and {', '.join(lineage.datasets)} in {lineage.environment}")
    return ended.output


def score(client: Client, spec: str, dataset: str, algorithm: str, model: str) -> float:
    """Score the model in a second job; return the accuracy the platform recorded."""
    step("Score")
    job = client.jobs.submit(
        "digits-score",
        'python "$PUMPKIN_CODE/score.py"',
        spec=spec,
        datasets=[dataset],
        algorithm=algorithm,
        models=[model],
    )
    follow(client, job.id)
    values = [point.value for point in client.jobs.metrics(job.id, name="accuracy")]
    if not values or values[-1] is None:
        sys.exit("The scoring job recorded no accuracy.")
    return values[-1]


def follow(client: Client, job: str) -> models.Workload:
    """Print a job's events and its log to its end; leave when it failed."""
    for event in client.jobs.follow_events(job):
        print(f"  {event.time.astimezone():%H:%M:%S} {event.message}")
        if event.type == "running":
            for piece in client.jobs.follow_log(job):
                print("    " + piece.json()["text"].rstrip("\n").replace("\n", "\n    "), flush=True)
    ended = client.jobs.get(job)
    if ended.phase != "succeeded":
        sys.exit(f"The job {ended.name} {ended.phase}: {ended.message}")
    return ended


def shown(reference: str, files: int, size: int) -> str:
    """Print a version; return its reference."""
    print(f"  {reference}: {files} files, {words.size(size)}")
    return reference


def step(title: str) -> None:
    """Print the headline of a step."""
    print(f"\n== {title}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except PumpkinError as error:
        sys.exit(f"Refused: {error}")
