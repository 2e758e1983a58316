"""What the platform has, as tables: datasets, algorithms, models, environments, specs, jobs, and what is used now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from pumpkin.cli import words
from pumpkin.cli.follow import ENDED
from pumpkin.errors import PumpkinError
from pumpkin.magics.links import Portal
from pumpkin.magics.show import Cell, Value, facts, grid, when

if TYPE_CHECKING:
    from pumpkin import Client

MOST = 50
"""Rows of a list; the portal has all of them."""
VERSIONS = 20
"""Versions shown of one thing, the newest."""
BUSY = ("queued", "preparing", "running", "stopping")


def currency(client: Client) -> str:
    """Return the sign of the platform's money, empty when the caller has no balance."""
    return next((item.currency for item in client.billing.balances()), "")


def assets(client: Client, kind: str) -> None:
    """List the datasets, algorithms or models (`kind` is one of them, in the singular)."""
    portal = Portal.of(client.config)
    found = [*_assets(client, kind).list(limit=MOST + 1)]
    if not found:
        print(f"No {kind} yet: 'pumpkin {kind} push FOLDER' makes one.")
        return
    rows: list[list[Value]] = [
        [
            Cell(f"{item.workspace}/{item.name}", portal.asset(kind, item.workspace, item.name)),
            f"@{item.latest}" if item.latest else "none yet",
            words.size(item.bytes),
            ", ".join(item.labels),
            when(item.updated),
        ]
        for item in found[:MOST]
    ]
    grid(["name", "version", "size", "labels", "updated"], rows, note=_rest(found, portal.list(kind)))


def asset(client: Client, kind: str, name: str) -> None:
    """Show one dataset, algorithm or model with its versions, and where a model comes from."""
    portal, part = Portal.of(client.config), _assets(client, kind)
    item = part.get(name)
    page = portal.asset(kind, item.workspace, item.name)
    shared = "everyone" if item.visibility == "everyone" else ", ".join(item.shared_with)
    pairs: list[tuple[str, Value]] = [
        ("name", Cell(f"{item.workspace}/{item.name}", page)),
        *((own, getattr(item, own)) for own in ("type", "framework", "entrypoint") if hasattr(item, own)),
        ("labels", ", ".join(item.labels)),
        ("made", when(item.created)),
        ("by", item.creator),
        ("shared with", shared),
        ("description", item.description),
    ]
    reference = f"{item.workspace}/{item.name}"
    if kind == "model" and item.latest:
        pairs += _lineage(portal, client.models.lineage(f"{reference}@{item.latest}"))
    facts([*pairs, ("page", Cell(page, page))])
    rows: list[list[Value]] = [
        [
            Cell(f"@{one.number}", portal.asset(kind, item.workspace, item.name, one.number))
            if one.number
            else one.state,
            f"{one.files} file{'' if one.files == 1 else 's'}",
            words.size(one.bytes),
            when(one.created),
            one.creator,
        ]
        for one in part.versions(reference, limit=VERSIONS)
    ]
    if rows:
        more = item.versions > len(rows)
        note = Cell(f"The newest {len(rows)} of {item.versions}; all of them:", page) if more else None
        grid(["version", "files", "size", "made", "by"], rows, note=note)


def _rest(found: Sequence[Any], page: str) -> Cell | None:
    """Return the note below a list for which one more than it shows was asked."""
    return Cell(f"The newest {MOST}; all of them:", page) if len(found) > MOST else None


def _assets(client: Client, kind: str) -> Any:
    return getattr(client, f"{kind}s")


def _lineage(portal: Portal, lineage: Any) -> list[tuple[str, Value]]:
    if not lineage.job:
        return []
    return [
        ("made by job", Cell(f"{lineage.job_name} ({lineage.job})", f"{portal.list('job')}/{lineage.job}")),
        *_inputs(portal, algorithm=lineage.code, datasets=lineage.datasets, models=lineage.models),
        ("environment", lineage.environment),
        ("metrics", ", ".join(f"{name} {value:g}" for name, value in lineage.metrics.items())),
    ]


def _inputs(
    portal: Portal, *, algorithm: str, datasets: Sequence[str], models: Sequence[str]
) -> list[tuple[str, Value]]:
    def cells(kind: str, references: Sequence[str]) -> list[Cell]:
        return [Cell(one, portal.reference(kind, one)) for one in references]

    return [
        ("algorithm", cells("algorithm", [algorithm] if algorithm else [])),
        ("datasets", cells("dataset", datasets)),
        ("models", cells("model", models)),
    ]


def environments(client: Client) -> None:
    """List the environments."""
    found = [*client.environments.list(limit=MOST + 1)]
    if not found:
        print("No environments yet: '%pumpkin env save NAME' keeps what this kernel has installed as one.")
        return
    rows: list[list[Value]] = [
        [
            f"{item.workspace}/{item.name}",
            *_version(item.latest),
            "everyone" if item.preset else "",
            when(item.updated),
        ]
        for item in found[:MOST]
    ]
    note = Cell(f"The first {MOST}; all of them: pumpkin env list") if len(found) > MOST else None
    grid(["name", "version", "state", "python", "size", "offered to", "updated"], rows, note=note)


def environment(client: Client, name: str) -> None:
    """Show one environment with its versions."""
    item = client.environments.get(name)
    facts(
        [
            ("name", f"{item.workspace}/{item.name}"),
            ("made", when(item.created)),
            ("by", item.creator),
            ("description", item.description),
        ]
    )
    reference = f"{item.workspace}/{item.name}"
    found = [*islice(client.environments.versions(reference), VERSIONS + 1)]
    rows: list[list[Value]] = [
        [*_version(one), "yes" if one.kernel else "no", when(one.created), one.creator, one.message]
        for one in found[:VERSIONS]
    ]
    more = len(found) > VERSIONS
    note = Cell(f"The newest {VERSIONS}; all of them: pumpkin env versions {reference}") if more else None
    if rows:
        grid(["version", "state", "python", "size", "kernel", "made", "by", "because"], rows, note=note)


def _version(version: Any) -> list[Value]:
    if version is None:
        return ["none yet", "", "", ""]
    return [f"@{version.number}", version.state, version.python_version, words.size(version.bytes)]


def specs(client: Client, name: str | None = None) -> None:
    """List the specs, or show the one called `name`: shape, price, and whether it is free now."""
    found = [item for item in client.resources.specs() if name in (None, item.name)]
    if name is not None and not found:
        raise PumpkinError(f"There is no spec '{name}' that you may use: see '%pumpkin spec'.", status=404)
    if not found:
        print("There is no spec you may use: ask an admin for a pool.")
        return
    free = {item.name for item in client.workloads.queue().free_specs}
    sign = currency(client)
    rows: list[list[Value]] = [
        [
            item.name,
            words.shape(item),
            words.price(item.price_micro, sign),
            "free now" if item.name in free else "taken",
            item.description,
        ]
        for item in found
    ]
    grid(["spec", "shape", "price", "now", "description"], rows)


def jobs(client: Client) -> None:
    """List the newest jobs the caller may see."""
    found = [*client.jobs.list(limit=MOST + 1)]
    if not found:
        print("No jobs yet: '%%pumpkin job --spec SPEC' runs a cell as one.")
        return
    workloads(client, found, sign=currency(client))


def job(client: Client, name: str) -> None:
    """Show one job: how it stands, what it costs, what went in and what came out."""
    portal, item, sign = Portal.of(client.config), client.jobs.get(name), currency(client)
    page = portal.workload(item)
    facts(
        [
            ("name", Cell(item.name, page)),
            ("phase", item.phase),
            ("because", item.message),
            ("spec", _spec(item)),
            ("submitted", when(item.created)),
            ("by", item.creator),
            ("started", when(item.started)),
            ("ran", words.lasted(item.started, item.finished)),
            ("cost", words.money(item.cost_micro, sign)),
            ("price", words.price(item.price_micro, sign)),
            *_inputs(portal, algorithm=item.algorithm, datasets=item.datasets, models=item.models),
            ("environment", item.environment),
            ("output", Cell(item.output, portal.reference("model", item.output)) if item.output else ""),
            ("labels", ", ".join(item.labels)),
            ("id", item.id),
            ("page", Cell(page, page)),
        ]
    )


def workloads(client: Client, found: Sequence[Any], *, sign: str) -> None:
    """List workloads, `MOST` of them: since when, how long they ran, what they cost. `sign` goes before amounts."""
    portal = Portal.of(client.config)
    rows: list[list[Value]] = [
        [
            Cell(item.name or item.kind, portal.workload(item)),
            item.kind,
            item.phase,
            _spec(item),
            when(item.started or item.created),
            words.lasted(item.started, item.finished),
            words.money(item.cost_micro, sign),
            "" if item.phase in ENDED else words.price(item.price_micro, sign),
            item.id,
        ]
        for item in found[:MOST]
    ]
    note = _rest(found, portal.list("job"))
    grid(["name", "kind", "phase", "spec", "since", "ran", "cost", "price", "id"], rows, note=note)


def _spec(item: Any) -> str:
    return item.spec if item.replicas == 1 else f"{item.replicas} x {item.spec}"


def usage(client: Client) -> None:
    """Show what the caller uses now and what it costs, and what the caller's workspaces have left."""
    balances = [*client.billing.balances()]
    busy = [*client.workloads.list(phase=BUSY, creator=client.whoami().name, limit=MOST + 1)]
    if busy:
        workloads(client, busy, sign=balances[0].currency if balances else "")
    else:
        print("Nothing of yours runs or waits.")
    rows: list[list[Value]] = [
        [
            item.workspace,
            words.money(item.balance_micro - item.accrued_micro, item.currency),
            words.money(item.month_spent_micro, item.currency),
            f"{words.money(item.burn_micro, item.currency)}/h",
            "" if item.seconds_left is None else words.span(item.seconds_left),
        ]
        for item in balances
    ]
    if rows:
        grid(["workspace", "balance", "this month", "now", "lasts"], rows)
