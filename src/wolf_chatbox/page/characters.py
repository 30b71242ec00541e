"""The trained characters that the page shows, and those of them that are loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import ModelError
from wolf_chatbox.evaluate.report.scorecard import read_evaluation
from wolf_chatbox.model.record import RUN_FILE
from wolf_chatbox.model.trained import Damaged, Trained, read_trained, runs_in
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.reread import Reread
from wolf_chatbox.talk.server.roster import Roster, Served

LOADED = 3
"""Characters in memory at once; the one that was talked with longest ago leaves, if nobody waits for it."""
IDLE_EVERY = 0.05
"""Seconds between two looks whether a character that leaves still speaks."""
Load = Callable[..., Served]
"""Loads a run by its name and folder, or with `base=True` its base model; it takes seconds."""


class TrainedRun(Trained):
    """A run folder, before its model is loaded."""

    @property
    def label(self) -> str:
        """Its name, with who it is where that has another one."""
        return f"{self.name} ({self.persona})" if self.persona and self.persona != self.name else self.name

    @property
    def about(self) -> str:
        """The run where it is not called after its character, its base model and its date, as one line."""
        name = [] if self.name == self.who else [self.name]
        base = Path(self.base).name if Path(self.base).is_absolute() else self.base
        return " · ".join([*name, base, f"{self.written:%Y-%m-%d}"])

    def evaluation(self) -> dict[str, Any] | None:
        """evaluation.json, if the run was evaluated."""
        return read_evaluation(self.folder)


class Characters:
    """The runs of the workspace, and those that were named; all methods belong to one event loop.

    characters = Characters(workspace, ["demo_model"], roster, load)
    served = await characters.served("demo_model")
    """

    def __init__(self, workspace: Workspace, named: Sequence[str], roster: Roster, load: Load) -> None:
        self.workspace, self.named, self.roster = workspace, list(named), roster
        self.load = load
        self._loading: dict[str, asyncio.Task[Served]] = {}
        self._stamps: dict[str, datetime] = {}
        self._records = Reread(_read)

    def all(self) -> list[TrainedRun]:
        """Every run whose record can be read and that can chat, the newest first; the name of each is its own."""
        found: dict[str, TrainedRun] = {}
        for folder in self._folders():
            run = self._trained(folder)
            if isinstance(run, TrainedRun) and not run.record.get("reverse"):
                name = _unused(run.name.replace(":", "_"), found)
                found[name] = TrainedRun(name, folder, run.record, run.written)
        return sorted(found.values(), key=lambda run: run.written, reverse=True)

    def damaged(self) -> list[Damaged]:
        """The run folders whose record cannot be read, with the reasons."""
        return [run for run in map(self._trained, self._folders()) if isinstance(run, Damaged)]

    def is_own(self, run: TrainedRun) -> bool:
        """Whether the run lies in the workspace, where the page may rename and remove it."""
        return run.folder.parent.resolve() == self.workspace.characters.resolve()

    def _folders(self) -> list[Path]:
        """The runs that were named, those of the current folder, and those of the workspace; each once."""
        found: dict[Path, Path] = {}
        for folder in (*map(Path, self.named), *runs_in(Path()), *runs_in(self.workspace.characters)):
            found.setdefault(folder.resolve(), folder)
        return list(found.values())

    def find(self, name: str) -> TrainedRun | None:
        return next((run for run in self.all() if run.name == name), None)

    async def served(self, name: str) -> Served:
        """A run with its engine, loaded if it is not; raises ModelError where there is none of that name."""
        run = self.find(name)
        if run is None:
            raise ModelError(f"{name}: there is no such character any more. Choose another one.")
        if name in self.roster.by_name and self._stamps.get(name, run.written) == run.written:
            self.roster.by_name[name] = self.roster.by_name.pop(name)  # the one that was used last stands last
            return self.roster.by_name[name]
        if name not in self._loading:
            self._loading[name] = asyncio.ensure_future(self._loaded(run))
        return await asyncio.shield(self._loading[name])

    async def _loaded(self, run: TrainedRun) -> Served:
        try:
            await self._close(run.name)
            served = await asyncio.to_thread(self.load, run.name, str(run.folder))
            self.roster.by_name[run.name] = served
            self._stamps[run.name] = run.written
            idle = [name for name, one in self.roster.by_name.items() if not (one.gate.running or one.gate.waiting)]
            for name in [name for name in idle if name != run.name][: max(0, len(self.roster.by_name) - LOADED)]:
                await self._close(name)
            return served
        finally:
            del self._loading[run.name]

    async def _close(self, name: str) -> None:
        """Free a run's memory once its replies have ended; whoever talks with it next loads it again."""
        if (served := self.roster.by_name.pop(name, None)) is not None:
            served.gate.close()
            while served.gate.running or served.gate.waiting:
                await asyncio.sleep(IDLE_EVERY)
            await asyncio.to_thread(served.character.voice.engine.close)

    async def forget(self, name: str) -> None:
        """Free a run's memory before its folder is replaced or removed."""
        await self._close(name)

    def _trained(self, folder: Path) -> TrainedRun | Damaged | None:
        return self._records(folder / RUN_FILE)


def _read(path: Path) -> TrainedRun | Damaged | None:
    """What a run says of itself."""
    run = read_trained(path.parent)
    return TrainedRun(run.name, path.parent, run.record, run.written) if isinstance(run, Trained) else run


def _unused(name: str, taken: dict[str, TrainedRun]) -> str:
    """The name, or with a number where another run has it."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found
