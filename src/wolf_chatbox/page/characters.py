"""The trained characters that the page shows, and those of them that are loaded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import CheckpointError, ModelError
from wolf_chatbox.evaluate.report.card import EVALUATION
from wolf_chatbox.model.record import RUN_FILE, read_run
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.talk.server.roster import Roster, Served

LOADED = 3
"""Characters in memory at once; the one that was talked with longest ago leaves, if nobody waits for it."""
IDLE_EVERY = 0.05
"""Seconds between two looks whether a character that leaves still speaks."""
Load = Callable[..., Served]
"""Loads a run by its name and folder, or with `base=True` its base model; it takes seconds."""


@dataclass(frozen=True)
class TrainedRun:
    """A run folder, before its model is loaded."""

    name: str
    folder: Path
    record: dict[str, Any] = field(repr=False)
    """run.json."""
    written: datetime

    @property
    def persona(self) -> str | None:
        """Who was learnt; None where everybody was."""
        return self.record.get("persona")

    @property
    def speakers(self) -> dict[str, int]:
        """Who speaks in the data, with how many turns of each, most first."""
        counts: dict[str, int] = self.record.get("data", {}).get("speakers", {})
        return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

    @property
    def who(self) -> str:
        """The character's name, as a card shows it."""
        return self.persona or next(iter(self.speakers), self.name)

    @property
    def base(self) -> str:
        return str(self.record.get("base_model", ""))

    def evaluation(self) -> dict[str, Any] | None:
        """evaluation.json, if the run was evaluated."""
        with suppress(OSError, ValueError):
            found = json.loads((self.folder / EVALUATION).read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else None
        return None


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
        self._read: dict[Path, tuple[int, dict[str, Any]]] = {}

    def all(self) -> list[TrainedRun]:
        """Every run whose record can be read and that can chat, the newest first; the name of each is its own."""
        found: dict[str, TrainedRun] = {}
        own = sorted(self.workspace.characters.glob(f"[!.]*/{RUN_FILE}"))
        for folder in [*map(Path, self.named), *(path.parent for path in own)]:
            record = self._record(folder)
            if record is not None and not record.get("reverse"):
                name = _unused(folder.resolve().name.replace(":", "_"), found)
                time = datetime.fromtimestamp((folder / RUN_FILE).stat().st_mtime)
                found[name] = TrainedRun(name, folder, record, time)
        return sorted(found.values(), key=lambda run: run.written, reverse=True)

    def find(self, name: str) -> TrainedRun | None:
        return next((run for run in self.all() if run.name == name), None)

    def is_loaded(self, name: str) -> bool:
        return name in self.roster.by_name

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

    def _record(self, folder: Path) -> dict[str, Any] | None:
        try:
            time = (folder / RUN_FILE).stat().st_mtime_ns
            if folder not in self._read or self._read[folder][0] != time:
                record = read_run(folder)
                if record is None:
                    return None
                self._read[folder] = (time, record)
            return self._read[folder][1]
        except (OSError, CheckpointError):  # half written, or damaged: /runs says so
            return None


def _unused(name: str, taken: dict[str, TrainedRun]) -> str:
    """The name, or with a number where another run has it."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found
