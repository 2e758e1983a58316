"""Files of the notebook server as new versions: pushed from here, since here they are, and followed from the browser.

`<base>/pumpkin/uploads` lists and begins them, `…/uploads/<id>` pauses, resumes, retries, gives up and forgets. A push
goes on when the page is closed; what has ended is listed until somebody who has seen it forgets it.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from pumpkin._protocol import Progress
from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    from pumpkin import Client

PREFIX = "/pumpkin/uploads"
KINDS = ("dataset", "algorithm", "model")
AT_ONCE = 4
"""Pushes under way together; each has threads that hash and threads that send."""
Phase = Literal["sending", "paused", "verifying", "done", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to push: a path as the file browser has it, and what it becomes a version of (made when it is new).

    `workspace` may be empty for the person's own.
    """

    path: str
    kind: str
    workspace: str
    name: str


class GivenUp(Exception):
    """Ends a push from within."""


class Upload:
    """One push in a thread of its own. Its fields are read from the server's loop; each is written whole."""

    def __init__(self, wanted: Wanted, source: Path, settings: dict[str, Any], *, pausable: bool) -> None:
        self.id = secrets.token_hex(8)
        self.wanted = wanted
        self.source = source
        self.settings = settings
        self.pausable = pausable
        self.phase: Phase = "sending"
        self.progress = Progress(phase="sending")
        self.number: int | None = None
        self.error = ""
        self._going = threading.Event()
        self._over = threading.Event()
        self._begun: set[str] = set()

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.phase in ("done", "failed", "cancelled")

    def start(self) -> None:
        """Push; what the platform has is not sent twice."""
        self.phase, self.error = "sending", ""
        self._going.set()
        # A daemon: a server that is stopped does not wait for a push, which can be made again.
        threading.Thread(target=self._run, name=f"pumpkin-upload-{self.id}", daemon=True).start()

    def pause(self) -> None:
        """Hold the push where it is; only while it sends, and not an archive, which is one long request."""
        if self.pausable and self.phase == "sending":
            self._going.clear()
            self.phase = "paused"

    def resume(self) -> None:
        """Let a paused push go on."""
        if self.phase == "paused":
            self.phase = "sending"
            self._going.set()

    def retry(self) -> None:
        """Push again after a failure."""
        if self.phase == "failed":
            self.start()

    def give_up(self) -> None:
        """End it; what was sent so far is not kept."""
        self._over.set()
        self._going.set()

    def forget(self) -> None:
        """Give up what failed tries have left on the platform."""
        if self._begun:
            threading.Thread(target=self._discard, daemon=True).start()

    def view(self) -> dict[str, Any]:
        """Return how it stands. Sizes in bytes."""
        progress = self.progress
        return {
            "id": self.id, **asdict(self.wanted), "phase": self.phase, "pausable": self.pausable,
            "done": progress.done, "total": progress.total, "sent": progress.sent,
            "files": progress.files, "total_files": progress.total_files,
            "number": self.number, "error": self.error,
        }  # fmt: skip

    def _run(self) -> None:
        from pumpkin import Client  # when the first one begins: the SDK's models take a while to load

        try:
            with Client() as client:
                self._push(client)
        except Exception as error:
            self._fail(str(error) if isinstance(error, PumpkinError) else f"{type(error).__name__}: {error}.")
            return
        # A failed push keeps what it sent for the next try.
        self._discard()

    def _push(self, client: Client) -> None:
        if not self.wanted.workspace:
            self.wanted = replace(self.wanted, workspace=client.whoami().name)
        assets = {"dataset": client.datasets, "algorithm": client.algorithms, "model": client.models}[self.wanted.kind]
        reference = f"{self.wanted.workspace}/{self.wanted.name}"
        try:
            self.number = assets.push(self.source, reference, on_progress=self._report).number
        except GivenUp:
            self.phase = "cancelled"
        else:
            self._begun.discard(self.progress.upload)  # it is the version now
            self.phase = "done"

    def _fail(self, why: str) -> None:
        self.error, self.phase = why, "failed"

    def _discard(self) -> None:
        from pumpkin import Client

        with contextlib.suppress(PumpkinError), Client() as client:
            for upload in [*self._begun]:
                with contextlib.suppress(PumpkinError):
                    client.request("DELETE", upload)
                self._begun.discard(upload)

    def _report(self, progress: Progress) -> None:
        """Take note; called by the push's threads, which wait here while it is paused."""
        self.progress = progress
        if progress.upload:
            self._begun.add(progress.upload)
        # Sending is activity: a server that does is not stopped as idle.
        self.settings["last_activity_times"]["pumpkin_uploads"] = datetime.now(UTC)
        if progress.phase == "verifying":
            self.phase = "verifying"
        self._going.wait()
        if self._over.is_set():
            raise GivenUp


class Uploads:
    """The pushes of this server."""

    def __init__(self) -> None:
        self.all: dict[str, Upload] = {}

    def begin(self, wanted: Wanted, source: Path, settings: dict[str, Any]) -> Upload:
        """Begin one; raise `PumpkinError` when there is nothing to push, or too much at once."""
        from pumpkin.transfer.archives import examine, is_archive

        examine(source)
        open_ = [upload for upload in self.all.values() if not upload.ended]
        if len(open_) >= AT_ONCE:
            raise PumpkinError(f"{len(open_)} uploads are under way: wait for one, or give one up.", status=409)
        if any(one.wanted == wanted for one in open_):
            raise PumpkinError("This is being uploaded already.", status=409)
        upload = Upload(wanted, source, settings, pausable=not is_archive(source))
        self.all[upload.id] = upload
        upload.start()
        return upload


class _Handler(APIHandler):
    auth_resource = "contents"

    def initialize(self, uploads: Uploads) -> None:
        """Take the pushes of this server."""
        self.uploads = uploads

    def asked(self, *names: str) -> dict[str, str]:
        """Return the body, an object of just these texts; answer 422 when it is none."""
        body = self.get_json_body()
        if (
            not isinstance(body, dict)
            or body.keys() != set(names)
            or not all(isinstance(body[key], str) for key in body)
        ):
            raise PumpkinError(f"Send an object with the texts {', '.join(names)}.", status=422)
        return cast(dict[str, str], body)

    def one(self, upload: str) -> Upload:
        """Return the upload of this id."""
        found = self.uploads.all.get(upload)
        if found is None:
            raise PumpkinError("There is no such upload: it is over, or the server was started anew.", status=404)
        return found

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say a refusal as the platform does."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        if not isinstance(error, PumpkinError):
            super().write_error(status_code, **kwargs)
            return
        self.set_status(error.status or 400)
        document = {"title": "Not uploaded", "status": self.get_status(), "detail": str(error), "reason": error.reason}
        self.finish(json.dumps(document), set_content_type="application/problem+json")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is an answer, no error of this server's."""
        if not isinstance(value, PumpkinError):
            super().log_exception(typ, value, tb)


class ListHandler(_Handler):
    """All uploads, and a new one."""

    # Looking at how far it is is no activity; sending is.
    _track_activity = False

    @authenticated
    @authorized
    def get(self) -> None:
        """List them."""
        self.finish(json.dumps({"items": [upload.view() for upload in self.uploads.all.values()]}))

    @authenticated
    @authorized
    def post(self) -> None:
        """Begin one."""
        wanted = Wanted(**self.asked("path", "kind", "workspace", "name"))
        if wanted.kind not in KINDS:
            raise PumpkinError(f"Nothing is made a '{wanted.kind[:40]}'.", field="kind", status=422)
        upload = self.uploads.begin(wanted, self._source(wanted.path), cast(Any, self).application.settings)
        self.set_status(201)
        self.finish(json.dumps(upload.view()))

    def _source(self, path: str) -> Path:
        find = getattr(self.contents_manager, "_get_os_path", None)
        if find is None:
            raise PumpkinError("The files of this server are in no folder: upload them from your computer.", status=409)
        try:
            return Path(find(path.strip("/")))
        except HTTPError as error:
            raise PumpkinError(f"There is no file or folder '{path}' here.", field="path", status=404) from error


class OneHandler(_Handler):
    """One upload."""

    @authenticated
    @authorized
    def post(self, upload: str) -> None:
        """Pause it, let it go on, or try again."""
        found = self.one(upload)
        action = self.asked("action")["action"]
        acts = {"pause": found.pause, "resume": found.resume, "retry": found.retry}
        if action not in acts:
            raise PumpkinError(f"An upload can be asked to {', '.join(acts)}.", field="action", status=422)
        acts[action]()
        self.finish(json.dumps(found.view()))

    @authenticated
    @authorized
    def delete(self, upload: str) -> None:
        """Give it up, or forget one that has ended."""
        found = self.one(upload)
        if found.ended:
            del self.uploads.all[found.id]
            found.forget()
        else:
            found.give_up()
        self.set_status(204)
        self.finish()


def handlers(settings: dict[str, Any]) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return tornado's handler table for a server with these settings."""
    base = url_path_join(settings["base_url"], PREFIX)
    uploads = {"uploads": Uploads()}
    return [(base, ListHandler, uploads), (rf"{base}/([0-9a-f]+)", OneHandler, uploads)]
