"""Running the cells of a notebook in a kernel of this very Python; the platform and the log are told what they do."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from pumpkin.notebook.outputs import MOST, joined, size
from pumpkin.notebook.platform import Platform, Unreachable
from pumpkin.notebook.results import PATIENCE, Cell, Results

STARTUP_SECONDS = 300
DRAIN_SECONDS = 600
"""How long what a cell has printed may take to arrive once the cell is done."""
STOP_SECONDS = 4.0
"""How long sending may take when the job is being stopped."""
SKIP = "skip-execution"


async def run(platform: Platform) -> int:
    """Run the job's notebook; return 0 if every cell did well and the platform knows."""
    document = await _patiently(platform, "/notebook")
    wanted = await _wanted(platform)
    notebook = _node(document)
    cells = [
        Cell(cell, position=at)
        for at, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.id in wanted
    ]
    results = Results(platform)
    sending = asyncio.create_task(results.work())
    runner = Runner(notebook, cells, results)
    well = False
    try:
        well = await runner.run_cells(_folder(document["metadata"]["pumpkin"]["path"], os.environ))
    finally:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, results.close)
        results.close(patience=STOP_SECONDS if runner.stopped else PATIENCE)
        known = await sending
    if not known:
        print("The platform could not be told all results: this log has what was printed.", file=sys.stderr)
    return 0 if well and known else 1


async def _wanted(platform: Platform) -> set[str]:
    """Return the ids of the cells to run."""
    found: set[str] = set()
    after = 0
    while True:
        page = await _patiently(platform, f"/cells?after={after}&limit=500")
        if not page["items"]:
            return found
        found |= {item["cell"] for item in page["items"]}
        after = page["next"]


async def _patiently(platform: Platform, path: str) -> Any:
    """Ask until there is an answer: the platform may just be starting again."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while True:
        try:
            return await loop.run_in_executor(None, platform.get, path)
        except Unreachable:
            if loop.time() > deadline:
                raise
            await asyncio.sleep(1)


def _folder(path: str, env: Mapping[str, str]) -> str:
    """Return where the kernel starts: beside the notebook, as far as its folder is there."""
    home = Path(env.get("PUMPKIN_HOME") or ".").resolve()
    beside = (home / path).parent.resolve()
    if beside.is_dir() and (beside == home or home in beside.parents):
        return str(beside)
    code = Path(env.get("PUMPKIN_CODE") or home)
    return str(code if code.is_dir() and any(code.iterdir()) else home)


class Runner(NotebookClient):
    """nbclient, which also tells of every message as it comes."""

    def __init__(self, notebook: Any, cells: Sequence[Cell], results: Results) -> None:
        super().__init__(
            notebook,
            timeout=None,
            startup_timeout=STARTUP_SECONDS,
            iopub_timeout=DRAIN_SECONDS,
            record_timing=False,
        )
        self.stopped = False
        self._cells = {cell.position: cell for cell in cells}
        self._results = results
        self._log = Log(notebook.cells)
        self._size = 0
        self._dropped = False

    def create_kernel_manager(self) -> Any:
        """Return a manager of a kernel of this Python, whatever kernels there are."""
        self.km = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisPython())
        return self.km

    async def run_cells(self, folder: str) -> bool:
        """Run the cells in order up to the first that fails; tell whether none did."""
        async with self.async_setup_kernel(cwd=folder):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)
            well = True
            for cell in self._cells.values():
                if not well or self._skipped(cell):
                    cell.end("skipped")
                elif not await self._run_cell(cell):
                    well = False
                self._results.changed(cell)
                if self.stopped:
                    return False
        return well

    def _skipped(self, cell: Cell) -> bool:
        return not cell.document["source"].strip() or SKIP in cell.document["metadata"].get("tags", [])

    async def _run_cell(self, cell: Cell) -> bool:
        cell.begin()
        self._size = 0
        self._results.changed(cell)
        self._log.begin(cell)
        try:
            await self.async_execute_cell(self.nb.cells[cell.position], cell.position)
        except CellExecutionError:
            cell.end("failed")
            return False
        except DeadKernelError:
            if not self.stopped:
                self._died(cell)
            return False
        cell.end("done")
        return True

    def _died(self, cell: Cell) -> None:
        words = "The kernel ended while this cell ran."
        error = {"output_type": "error", "ename": "DeadKernelError", "evalue": words, "traceback": [words]}
        cell.document["outputs"].append(_node(error))
        self._log.show(error)
        cell.end("failed")

    def _stop(self) -> None:
        """End what runs: the platform wants the job to stop."""
        self.stopped = True
        self._cleaning = asyncio.ensure_future(self._async_cleanup_kernel())

    # -- messages ---------------------------------------------------------------------------------------------

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Do as nbclient does, and have what it changed sent."""
        self._dropped = False
        try:
            return super().process_message(msg, cell, cell_index)
        finally:
            if not self._dropped:
                self._results.changed(self._cells[cell_index], *self._also(msg))

    def _also(self, msg: dict[str, Any]) -> list[Cell]:
        """Return the other cells a message changes: those that show what it updates."""
        transient: dict[str, Any] = msg["content"].get("transient") or {}
        shown: dict[int, Any] = self._display_id_map.get(str(transient.get("display_id")), {})
        return [self._cells[at] for at in shown if at in self._cells]

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """Do as nbclient does, show it in the log, and put a stream behind the same stream."""
        self._log.show({"output_type": msg["msg_type"], **msg["content"]})
        if self.clear_before_next_output:
            self._size = 0
        elif self._size > MOST and msg["msg_type"] != "error":
            # What is more than is ever sent need not be kept.
            self._dropped = True
            return None
        out = super().output(outs, msg, display_id, cell_index)
        if out is None:
            return None
        if out["output_type"] == "stream":
            before = ""
            if len(outs) > 1 and outs[-1] is out and _same_stream(outs[-2], out):
                outs.pop()
                before = outs[-1]["text"]
            outs[-1]["text"] = joined(before, out["text"])
            self._size -= len(before)
        self._size += size(outs[-1])
        return outs[-1]

    def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """Do as nbclient does, and know that there is room again."""
        super().clear_output(outs, msg, cell_index)
        if not outs:
            self._size = 0


def _same_stream(one: Any, other: Any) -> bool:
    return one["output_type"] == other["output_type"] == "stream" and one["name"] == other["name"]


def _node(value: Any) -> Any:
    """Return JSON as nbformat's own kind of dictionaries, which nbclient wants."""
    return cast(Any, nbformat).from_dict(value)


class ThisPython(KernelSpecManager):
    """The only kernel there is: the Python that runs this, with `%pumpkin` as in a notebook server."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return it, whatever name is asked for."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "--ext=pumpkin", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
        )


class Log:
    """The job's own log: what each cell prints below a line that says which one it is."""

    def __init__(self, cells: Sequence[Any]) -> None:
        code = [at for at, cell in enumerate(cells) if cell.cell_type == "code" and cell.id != "injected-parameters"]
        self._numbers = {at: number for number, at in enumerate(code, 1)}

    def begin(self, cell: Cell) -> None:
        """A cell begins."""
        number = self._numbers.get(cell.position)
        print(f"--- {f'cell {number}' if number else 'parameters'} ---", flush=True)

    def show(self, output: Mapping[str, Any]) -> None:
        """Print what of an output is text."""
        if output["output_type"] == "stream":
            stream = sys.stderr if output["name"] == "stderr" else sys.stdout
            print(output["text"], end="", file=stream, flush=True)
        elif output["output_type"] == "error":
            print("\n".join(output["traceback"]), file=sys.stderr, flush=True)
        elif text := output.get("data", {}).get("text/plain"):
            print(text, flush=True)
