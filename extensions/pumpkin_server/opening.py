"""`<base>/pumpkin/open?job=ID`: writes what a job ran as a notebook into the home, once, and opens it in the Lab."""

from __future__ import annotations

import re
from typing import Any, cast

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_escape, url_path_join
from tornado.web import HTTPError, authenticated

from pumpkin.errors import PumpkinError

FOLDER = "jobs"
JOB = re.compile(r"[0-9A-Za-z]{26}")


class OpenHandler(JupyterHandler):
    """One job, opened."""

    @authenticated
    async def get(self) -> None:
        """Write the notebook unless it is there, and go to it."""
        job = self.get_query_argument("job", "")
        if not JOB.fullmatch(job):
            raise HTTPError(400, "Say which job: open?job=<its id>.")
        try:
            path = await self._written(job)
        except PumpkinError as error:
            raise HTTPError(error.status or 502, str(error)) from error
        self.redirect(url_path_join(self.base_url, "lab/tree", url_escape(path)))

    async def _written(self, job: str) -> str:
        # The client and its models are slow to load: a server that opens no job starts without them.
        from pumpkin import AsyncClient
        from pumpkin_server.documents import document_of, file_name

        manager = cast(Any, self).contents_manager
        async with AsyncClient() as client:
            found = await client.jobs.get(job)
            path = f"{FOLDER}/{file_name(found)}"
            if not await ensure_async(manager.file_exists(path)):
                content = await document_of(client, found)
                if not await ensure_async(manager.dir_exists(FOLDER)):
                    await ensure_async(manager.save({"type": "directory"}, FOLDER))
                await ensure_async(manager.save({"type": "notebook", "format": "json", "content": content}, path))
        return path
