"""What every spawner of the platform shares: a server starts only with a grant, and lives as its workload lives.

The queue is never inside the Hub: a start without room ends at once with `SpawnException(reason="capacity")`, the
request keeps its place in the platform's queue, and the platform starts the server through the Hub when its turn
comes. How a granted server is started is the subclass's part, `launch`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any, cast

from jinja2 import Environment, PackageLoader
from jupyterhub import orm
from jupyterhub.spawner import Spawner, SpawnException
from markupsafe import escape
from traitlets import Callable, Dict, Float, Unicode, default

from pumpkin_spawners.options import BadOptions, from_form, parse
from pumpkin_spawners.platform import Away, Grant, PlatformClient, Refused

FORM_SCOPES = ["resources", "workloads", "images"]
POLL_SECONDS = 0.15
PROGRESS = {"queued": 5, "placed": 20, "preparing": 30, "started": 70, "running": 80}
templates = Environment(loader=PackageLoader("pumpkin_spawners"), autoescape=True)


class NoStart(SpawnException):
    """A start that ends here, with one sentence for a person; `page` is the same as HTML.

    The `jupyterhub_…` names are where the Hub's spawn form looks, `headers` what it answers with.
    """

    def __init__(
        self, message: str, *, reason: str, status_code: int, log_message: str = "", page: str = "", next_url: str = ""
    ) -> None:
        super().__init__(
            message, reason=reason, status_code=status_code, log_message=log_message or message, message_html=page
        )
        self.jupyterhub_message = message
        self.jupyterhub_html_message = page or escape(message)
        # A browser goes on to the queue page by itself.
        self.headers = {"Refresh": f"0; url={next_url}"} if next_url else {}


class PumpkinSpawner(Spawner):
    """Asks the platform for a grant, watches its workload, and gives it back."""

    platform_url = Unicode(help="The platform as the Hub reaches it, ending in `/services/pumpkin/`.").tag(config=True)
    platform_token = Unicode(help="Token of the Hub service that may ask for grants.").tag(config=True)
    translate: Any = Callable(str, help="Says a text of ours in the language of the request.").tag(config=True)
    stop_seconds = Float(30.0, help="How long a stop waits for the server to be gone.").tag(config=True)
    workload = Unicode(help="The id of the workload this server is; empty while it has no grant.")
    # Read from `user_options` by `apply_user_options`, which the Hub calls before every start.
    options = Dict(help="What was chosen, checked.")

    _clients: dict[tuple[str, str], PlatformClient] = {}

    @property
    def platform(self) -> PlatformClient:
        """The client all spawners of this Hub share."""
        key = (self.platform_url, self.platform_token)
        if key not in self._clients:
            self._clients[key] = PlatformClient(url=key[0], token=key[1])
        return self._clients[key]

    async def launch(self, grant: Grant) -> tuple[str, int] | str:
        """Start the server `grant` is for; return the host and port, or the URL, where the Hub reaches it."""
        raise NotImplementedError

    async def start(self) -> tuple[str, int] | str:
        """Start with a grant, or raise `SpawnException` with one sentence and the way to the queue."""
        try:
            grant = await self._granted()
            # From here on `stop` gives it back. Before, it must not: a queued grant keeps its place.
            self.workload = grant.workload
            return await self.launch(grant)
        except Refused as refusal:
            raise NoStart(str(refusal), reason=refusal.reason, status_code=refusal.status) from refusal
        except Away as away:
            raise NoStart(
                "The platform does not answer right now: try again in a moment.",
                reason="platform_away",
                status_code=503,
                log_message=str(away),
            ) from away

    async def poll(self) -> int | None:
        """Return None while the platform says it runs (or cannot be asked), else its exit status."""
        if not self.workload:
            return 0
        try:
            grant = await self.platform.get(self.workload, patience=0)
        except (Away, Refused) as error:
            self.log.warning("Cannot ask how %s is, taking it as running: %s", self._log_name, error)
            return None
        if grant is None or grant.state == "ended":
            return (grant.exit_code if grant else None) or 0
        return None

    async def stop(self, now: bool = False) -> None:
        """Stop the server and give back what it held; returns when it is gone."""
        if not self.workload:
            return
        await self.platform.release(self.workload)
        give_up = time.monotonic() + self.stop_seconds
        while not now and time.monotonic() < give_up:
            grant = await self.platform.get(self.workload)
            if grant is None or grant.state == "ended":
                return
            await asyncio.sleep(POLL_SECONDS)

    def get_state(self) -> dict[str, Any]:
        """Return what the Hub must remember to find the server again."""
        state = cast(dict[str, Any], super().get_state())
        if self.workload:
            state["workload"] = self.workload
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the server again after a restart of the Hub."""
        cast(Any, super()).load_state(state)
        self.workload = str(state.get("workload", ""))

    def clear_state(self) -> None:
        """Forget the server that was."""
        super().clear_state()
        self.workload = ""

    async def progress(self) -> AsyncGenerator[dict[str, Any], None]:
        """Tell what happens to the workload, in the platform's own sentences."""
        told: set[str] = set()
        reached = 0
        while self._spawn_pending:
            for event in await self._events():
                if event["id"] in told:
                    continue
                told.add(event["id"])
                reached = max(reached, event.get("progress") or PROGRESS.get(str(event["type"]), 0))
                yield {"progress": reached, "message": str(event["message"])}
            await asyncio.sleep(POLL_SECONDS)

    async def _events(self) -> list[dict[str, Any]]:
        if not self.workload:
            return []
        try:
            # In the name of the server's own token: the spawner's may only handle grants.
            return await self.platform.events(self.workload, token=self.api_token)
        except (Away, Refused):
            return []

    async def _granted(self) -> Grant:
        grant = await self._ask()
        if grant.state == "running":
            # The Hub has forgotten a server that runs; its token is gone with the memory, so it is of no use.
            self.workload = grant.workload
            await self.stop()
            self.workload = ""
            grant = await self._ask()
        if grant.state == "queued":
            raise self.no_room(grant)
        if grant.state == "ended":
            raise NoStart(grant.message or "This grant has ended: ask for a new one.", reason="grant", status_code=410)
        return grant

    async def _ask(self) -> Grant:
        options = dict(self.options)
        if not options.keys() & {"grant", "spec"}:
            # Over the REST API people start without saying on what: the form's first choice is theirs too.
            specs, free = await asyncio.gather(
                self.platform.specs(token=self.api_token), self.platform.free_specs(token=self.api_token)
            )
            options |= {"spec": first_choice(specs, free=free)} if specs else {}
        return await self.platform.ask(user=self.user.name, server_name=self.name, options=options)

    def no_room(self, grant: Grant) -> NoStart:
        """Return the refusal of a start that has to wait, with the page to wait on."""
        url = f"{self.public_platform}queue/{grant.workload}"
        page = templates.get_template("no-room.html").render(grant=grant, url=url, _=self.translate)
        place = f"number {grant.position} in the queue" if grant.position else "in the queue"
        return NoStart(
            f"{grant.message or 'No room for this right now.'} It is {place} and starts by itself; see {url}",
            reason="capacity",
            status_code=503,
            page=page,
            next_url=url,
        )

    @property
    def public_platform(self) -> str:
        """The path of the platform's pages for a browser."""
        return f"{self.hub.base_url.removesuffix('hub/')}services/pumpkin/"

    @default("start_timeout")
    def _start_timeout(self) -> int:
        # A claim may wait for inputs to be placed and an environment to be built; it ends earlier by itself.
        return 330

    @default("http_timeout")
    def _http_timeout(self) -> int:
        return 120

    @default("options_from_form")
    def _from_form(self) -> Any:
        return self.options_of_form

    @staticmethod
    def options_of_form(form: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return `user_options` for what the form or the query string says."""
        return from_form(form)

    @default("apply_user_options")
    def _apply(self) -> Any:
        return _apply_options

    @default("options_form")
    def _form(self) -> Any:
        return _render_form


def first_choice(specs: Sequence[dict[str, Any]], *, free: Collection[str]) -> str:
    """Return the name of the cheapest spec that is free now, else of the cheapest; `specs` must not be empty."""
    return min(specs, key=lambda spec: (spec["name"] not in free, spec["price_micro"], spec["name"]))["name"]


def _apply_options(spawner: PumpkinSpawner, user_options: dict[str, Any]) -> None:
    try:
        chosen = parse(user_options)
    except BadOptions as error:
        raise NoStart(str(error), reason="options", status_code=400) from error
    spawner.options = chosen.wire()
    # The Hub uses these again for a start without options; a grant is good for one start only.
    spawner.user_options = spawner.orm_spawner.user_options = chosen.lasting()


async def _render_form(spawner: PumpkinSpawner) -> str:
    """Return the spawn form: the specs this user may use, with price and whether there is room now."""
    platform = spawner.platform
    scopes = [f"custom:pumpkin:{module}:read" for module in FORM_SCOPES]
    scopes.append("access:services!service=pumpkin")
    token = spawner.user.new_api_token(note="Spawn form", scopes=scopes, expires_in=60)
    try:
        specs, free, environments = await asyncio.gather(
            platform.specs(token=token), platform.free_specs(token=token), platform.environments(token=token)
        )
    except (Away, Refused) as error:
        return templates.get_template("form.html").render(error=str(error), specs=[], _=spawner.translate)
    finally:
        session = spawner.orm_spawner._sa_instance_state.session
        session.delete(cast(Any, orm.APIToken).find(session, token))
        session.commit()
    last: dict[str, Any] = spawner.orm_spawner.user_options or {}
    usable = sorted(specs, key=lambda spec: (spec["price_micro"], spec["name"]))
    chosen = last.get("spec") or (first_choice(usable, free=free) if usable else "")
    return templates.get_template("form.html").render(
        specs=usable,
        free=free,
        environments=environments,
        last=last,
        chosen=chosen,
        _=spawner.translate,
    )
