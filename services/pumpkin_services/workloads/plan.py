"""What a workload was understood to mean when it was submitted; kept with its row, untouched by later edits."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from pumpkin_services.resources.shapes import Demand

InputKind = Literal["dataset", "algorithm", "model"]


class Input(BaseModel):
    """One version the workload reads. `reference` is `workspace/name@number`."""

    kind: InputKind
    version: str
    name: str
    reference: str


class PlannedRole(BaseModel):
    """A role with its spec's values as they were at submit: prices per hour in micro-units, memory in bytes."""

    name: str
    argv: list[str]
    env: dict[str, str] = {}
    replicas: int = 1
    min_available: int = 1
    is_main: bool = False
    spec: str
    pool: str
    cpu_milli: int
    memory: int
    accelerators: int = 0
    accelerator_type: str = ""
    price_micro: int = 0

    def demand(self, nodes: frozenset[str] | None) -> Demand:
        """What one replica asks for, on `nodes` (None: any)."""
        return Demand(
            cpu_milli=self.cpu_milli,
            memory=self.memory,
            accelerators=self.accelerators,
            accelerator_type=self.accelerator_type,
            nodes=nodes,
        )


class Plan(BaseModel):
    """The whole request, resolved."""

    environment: str
    """Id of the environment's version."""
    environment_ref: str
    environment_digest: str = ""
    roles: list[PlannedRole]
    inputs: list[Input] = []
    retries: int = 0
    backoff_seconds: float = 5
    deadline_seconds: int | None = None
    budget_micro: int | None = None
    output_model: str = ""
    idle_seconds: int | None = None

    @property
    def main(self) -> PlannedRole:
        """The role whose end is the job's end; the first one when none is marked."""
        return next((role for role in self.roles if role.is_main), self.roles[0])

    @property
    def ordered(self) -> list[PlannedRole]:
        """The roles in the order of ranks: the main one first."""
        return [self.main, *(role for role in self.roles if role is not self.main)]

    @property
    def replicas(self) -> int:
        """How many processes there are."""
        return sum(role.replicas for role in self.roles)

    @property
    def price_micro(self) -> int:
        """Per hour, for all replicas together."""
        return sum(role.price_micro * role.replicas for role in self.roles)

    def references(self, kind: InputKind) -> list[str]:
        """The references of one kind of input."""
        return [item.reference for item in self.inputs if item.kind == kind]
