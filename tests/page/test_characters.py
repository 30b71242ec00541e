"""The trained characters of the page: which there are, and when a model is loaded and freed."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.record import RUN_FILE
from wolf_chatbox.page.characters import LOADED, Characters
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.talk.server.gate import Gate
from wolf_chatbox.talk.server.roster import Roster, Served


@dataclass
class Stage:
    """A workspace, and what was loaded and freed, in order."""

    workspace: Workspace
    log: list[str] = field(default_factory=list)
    fails: bool = False

    def write(self, name: str, time: int = 1000, folder: Path | None = None, **record: Any) -> Path:
        place = (folder or self.workspace.characters) / name
        place.mkdir(parents=True, exist_ok=True)
        (place / RUN_FILE).write_text(json.dumps(record))
        os.utime(place / RUN_FILE, (time, time))
        return place

    def load(self, name: str, folder: str) -> Served:
        self.log.append(f"load {name}")
        if self.fails:
            raise ModelError(f"{folder}: damaged.")
        engine = SimpleNamespace(close=lambda: self.log.append(f"free {name}"))
        return Served(name, cast(Any, SimpleNamespace(voice=SimpleNamespace(engine=engine))), Gate(1, 4))

    def run(self, work: Callable[[Characters], Awaitable[None]], *named: str) -> None:
        asyncio.run(asyncio.wait_for(self._run(work, named), 60))

    async def _run(self, work: Callable[[Characters], Awaitable[None]], named: tuple[str, ...]) -> None:
        await work(Characters(self.workspace, named, Roster(), self.load))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.chdir(tmp_path)  # the runs of the working folder are shown as well
    workspace = Workspace(tmp_path / "home")
    workspace.make()
    return Stage(workspace)


def test_the_newest_stands_first_and_each_name_is_its_own(stage: Stage, tmp_path: Path) -> None:
    stage.write("rick", 1000)
    stage.write("おトラ", 3000, persona="おトラ")
    named = stage.write("rick", 2000, tmp_path / "elsewhere")

    async def work(characters: Characters) -> None:
        assert [run.name for run in characters.all()] == ["おトラ", "rick", "rick-2"]
        assert characters.find("rick") is not None
        assert characters.find("rick").folder == named  # type: ignore[union-attr]
        assert characters.find("../rick") is characters.find("") is None

    stage.run(work, str(named))


def test_what_is_no_run_that_can_chat_is_left_out(stage: Stage) -> None:
    stage.write("good")
    stage.write("backwards", reverse=True)
    stage.write(".hidden")
    stage.write("damaged", persona=7)
    (stage.write("half") / RUN_FILE).write_text('{"persona":')
    (stage.workspace.characters / "empty").mkdir()

    async def work(characters: Characters) -> None:
        assert [run.name for run in characters.all()] == ["good"]

    stage.run(work)


def test_who_ask_at_once_wait_for_one_loading(stage: Stage) -> None:
    stage.write("rick")

    async def work(characters: Characters) -> None:
        first, second = await asyncio.gather(characters.served("rick"), characters.served("rick"))
        assert first is second is await characters.served("rick")

    stage.run(work)
    assert stage.log == ["load rick"]


def test_a_run_that_cannot_be_loaded_is_told_and_may_be_tried_again(stage: Stage) -> None:
    stage.write("rick")

    async def work(characters: Characters) -> None:
        stage.fails = True
        with pytest.raises(ModelError, match="damaged"):
            await characters.served("rick")
        stage.fails = False
        assert (await characters.served("rick")).name == "rick"
        with pytest.raises(ModelError, match="no such character"):
            await characters.served("morty")

    stage.run(work)


def test_a_run_that_was_trained_anew_is_loaded_anew(stage: Stage) -> None:
    stage.write("rick")

    async def work(characters: Characters) -> None:
        old = await characters.served("rick")
        stage.write("rick", 2000)
        assert await characters.served("rick") is not old

    stage.run(work)
    assert stage.log == ["load rick", "free rick", "load rick"]


def test_the_one_that_was_talked_with_longest_ago_leaves(stage: Stage) -> None:
    names = [f"run{number}" for number in range(LOADED + 1)]
    for name in names:
        stage.write(name)

    async def work(characters: Characters) -> None:
        for name in names[:-1]:
            await characters.served(name)
        await characters.served(names[0])
        await characters.served(names[-1])
        assert [name for name in names if name in characters.roster.by_name] == [names[0], *names[2:]]

    stage.run(work)


def test_a_character_is_freed_when_it_has_spoken(stage: Stage) -> None:
    stage.write("rick")

    async def work(characters: Characters) -> None:
        served = await characters.served("rick")
        await served.gate.enter(1, 60)
        forgetting = asyncio.ensure_future(characters.forget("rick"))
        await asyncio.sleep(0)
        again = await characters.served("rick")  # whoever comes now gets it anew
        assert again is not served
        await asyncio.sleep(0.2)
        assert "free rick" not in stage.log
        served.gate.leave()
        await forgetting
        assert stage.log == ["load rick", "load rick", "free rick"]

    stage.run(work)
