"""What the page lets the command line do with a run: exports and evaluations, one at a time, in processes of their own.

A job belongs to the server, not to a browser: it goes on when the page is closed, and is found again.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zipfile import ZIP_STORED, ZipFile

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.export.folder import OURS
from wolf_chatbox.files import new_path, remove
from wolf_chatbox.page.away import CALM
from wolf_chatbox.visible import visible

Kind = Literal["evaluate", "gguf", "onnx", "card", "model"]
State = Literal["running", "done", "failed", "stopped"]
LINES = 400
"""Lines of its output that are kept."""
LONGEST = 10_000
"""Bytes of a line."""
PROGRAM = "import os; os.nice(5); from wolf_chatbox.cli import main; main()"
PACKER = "import os, sys; os.nice(5); from wolf_chatbox.page.jobs import pack; pack(sys.argv[1], sys.argv[2])"
PATIENCE = 10.0
"""Seconds that a stopped job has to end by itself."""


@dataclass
class Job:
    """Something that is done, or was, with a run."""

    kind: Kind
    run: str
    state: State = "running"
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    """Its output, without control characters."""
    _process: asyncio.subprocess.Process | None = None

    @property
    def last(self) -> str:
        """The last line of its output: an error, where it failed."""
        return self.lines[-1] if self.lines else ""


class Jobs:
    """The jobs of a page; all methods belong to one event loop.

    jobs = Jobs(workspace.exports)
    await jobs.do("gguf", "innkeeper", Path("innkeeper"))
    """

    def __init__(self, exports: Path) -> None:
        self.exports = exports
        self.latest: Job | None = None

    @property
    def running(self) -> Job | None:
        return self.latest if self.latest is not None and self.latest.state == "running" else None

    async def do(self, kind: Kind, run: str, folder: Path) -> Job:
        """Do a job to its end. Raises ConfigError while there is another one."""
        if self.running is not None:
            raise ConfigError("to", kind, f"waits for {self.running.run} ({self.running.kind}). Stop that first.")
        job = self.latest = Job(kind, run)
        try:
            place = self.exports / run
            await asyncio.to_thread(place.mkdir, mode=0o700, parents=True, exist_ok=True)
            job.state = await self._run(job, command(kind, folder.resolve(), place))
        except BaseException:
            job.state = "failed"
            raise
        return job

    async def _run(self, job: Job, given: Sequence[str]) -> State:
        surroundings = CALM | {"NO_COLOR": "1", "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
        job._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            *given,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | surroundings,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            rest = b""
            while data := await process.stdout.read(1 << 14):
                *lines, rest = (rest[-LONGEST:] + data).split(b"\n")
                job.lines.extend(visible(line.decode(errors="replace").rstrip()) for line in lines)
            if rest:
                job.lines.append(visible(rest.decode(errors="replace")))
            code = await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        return "stopped" if job.state == "stopped" else "failed" if code else "done"

    async def stop(self) -> None:
        """End the job that runs; what was there before it stays."""
        if (job := self.running) is None or job._process is None:
            return
        job.state = "stopped"
        with suppress(ProcessLookupError):
            job._process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(job._process.wait(), PATIENCE)
        with suppress(ProcessLookupError):
            job._process.kill()

    def made(self, run: str) -> dict[str, list[Path]]:
        """The files that jobs made of a run, by kind, in the order of their names."""
        place = self.exports / run
        found: dict[str, list[Path]] = {}
        for kind in ("evaluate", "gguf", "onnx", "card", "model"):
            files = sorted(path for path in (place / kind).glob("[!.]*") if path.is_file() and path.name != OURS)
            if files:
                found[kind] = files
        return found

    def file(self, run: str, kind: str, name: str) -> Path | None:
        """One of the files that were made; None for anything else, whatever the names."""
        return next((path for path in self.made(run).get(kind, []) if path.name == name), None) if _plain(run) else None


def command(kind: Kind, folder: Path, place: Path) -> list[str]:
    """The program of a job and its arguments; its files come into a folder of `place` named after its kind."""
    to = place / kind
    if kind == "model":
        return [PACKER, str(folder), str(to / f"{folder.name}.zip")]
    if kind == "evaluate":
        to.mkdir(mode=0o700, exist_ok=True)
        files = ["--html", str(to / "evaluation.html"), "--json", str(to / "evaluation.json")]
        return [PROGRAM, "evaluate", str(folder), *files, "--overwrite"]
    return [PROGRAM, "export", str(folder), "--to", kind, "--output", str(to), "--overwrite"]


def pack(folder: str, archive: str) -> None:
    """Write a folder as a zip; weights hardly get smaller, so nothing is compressed."""
    source, target = Path(folder), Path(archive)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with new_path(target) as place, ZipFile(place, "w", ZIP_STORED) as file:
        for path in sorted(source.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                file.write(path, Path(source.name) / path.relative_to(source))


def forget(exports: Path, run: str) -> None:
    """Remove what was exported of a run."""
    if _plain(run):
        remove(exports / run)


def _plain(name: str) -> bool:
    """Whether a name is that of one folder."""
    return bool(name) and name not in (".", "..") and "/" not in name and "\0" not in name
