"""Two who answer the same: runs, their base models, or one run with other sampling."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ChatError, ConfigError, ModelError
from wolf_chatbox.evaluate.entries import Exchange
from wolf_chatbox.evaluate.judging.pairs import Pair, Reply
from wolf_chatbox.model.embedded import EMBEDDED, is_ready
from wolf_chatbox.model.hub import cached, hub_name, locate
from wolf_chatbox.model.voice import Reply as Drawn
from wolf_chatbox.page.away import away
from wolf_chatbox.page.characters import IDLE_EVERY
from wolf_chatbox.page.judging.held_out import held_out
from wolf_chatbox.page.room import PATIENCE
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.server.refusals import Refusal
from wolf_chatbox.talk.server.roster import Served

if TYPE_CHECKING:
    from wolf_chatbox.page.desk import Desk


@dataclass(frozen=True)
class Side:
    """One who answers."""

    run: str
    base: bool = False
    """Whether it is the run's base model, which speaks as the run does."""
    temperature: float | None = None
    """None: as saved with the run."""
    top_p: float | None = None

    @property
    def entry(self) -> str:
        """Its name in files of votes; no run's name has a colon."""
        changes = {"temperature": self.temperature, "top_p": self.top_p}
        changed = [f"{name}={value:g}" for name, value in changes.items() if value is not None]
        return " ".join([f"{self.run}:base" if self.base else self.run, *changed])


@dataclass(frozen=True)
class Match:
    """Two sides; the file of their votes follows from them and from what the runs are now."""

    one: Side
    other: Side
    records: str = ""
    """Fingerprint of the runs: one that was trained anew is another one."""

    @property
    def id(self) -> str:
        sides = sorted([self.one.entry, self.other.entry])
        return hashlib.sha256(json.dumps([*sides, self.records]).encode()).hexdigest()[:16]


def match_of(desk: Desk, one: Side, other: Side) -> Match:
    """A match of two sides; raises ConfigError where they are the same, ModelError where a run is gone."""
    if one == other:
        raise ConfigError(
            "sides", one.entry, "is on both sides. Choose another run, its base model, or other sampling."
        )
    found = [desk.characters.find(side.run) for side in (one, other)]
    gone = next((side.run for side, run in zip((one, other), found) if run is None), None)
    if gone is not None:
        raise ModelError(f"{gone}: there is no such character any more. Choose another one.")
    records = sorted({json.dumps(run.record, sort_keys=True) for run in found if run})
    return Match(one, other, hashlib.sha256("\n".join(records).encode()).hexdigest()[:16])


def is_old(desk: Desk, match: Match) -> bool:
    """Whether a run of a match was trained anew since then; one that is gone was not."""
    try:
        return match_of(desk, match.one, match.other).id != match.id
    except ModelError:
        return False


# Who answers.


def is_at_hand(base: str) -> bool:
    """Whether a base model is on this machine; asks no other one."""
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    name = hub_name(base)
    try:
        if name is not None:
            return cached(name).is_dir()
        return is_ready(base.lower()) if base.lower() in EMBEDDED else locate(base).is_dir()
    except (LocalEntryNotFoundError, HFValidationError, OSError, ModelError):
        return False


class Contestants:
    """The sides with their engines: runs are the page's own, and one base model is kept beside them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._base: tuple[tuple[str, datetime], Served] | None = None
        self._visitors = 0
        self._opening = asyncio.Lock()
        self._held_out: dict[tuple[tuple[str, ...], str], list[Exchange]] = {}

    async def served(self, side: Side) -> Served:
        """The engine of a side, loaded if it is not; raises ModelError, and what loading raises."""
        characters = self.desk.characters
        if not side.base:
            return await characters.served(side.run)
        async with self._opening:
            run = characters.find(side.run)
            if run is None:
                raise ModelError(f"{side.run}: there is no such character any more. Choose another one.")
            key = run.name, run.written
            if self._base is None or self._base[0] != key:
                await self.close()
                load = partial(characters.load, side.entry, str(run.folder), base=True)
                self._base = (key, await asyncio.to_thread(load))
            return self._base[1]

    async def held_out(self, match: Match) -> list[Exchange]:
        """What neither side's run has learnt; raises what `held_out` raises. The last match's are remembered."""
        runs = [self.desk.characters.find(name) for name in dict.fromkeys((match.one.run, match.other.run))]
        key = tuple(str(run.folder) for run in runs if run), match.records
        if key not in self._held_out:
            self._held_out = {key: await away(held_out, key[0], self.desk.workspace.making)}
        return self._held_out[key]

    def visit(self) -> Callable[[], Awaitable[None]]:
        """Somebody opens the page; gives what is called when they leave: the last one frees the base model's memory."""
        self._visitors += 1

        async def leave() -> None:
            self._visitors -= 1
            if not self._visitors:
                await self.close()

        return leave

    async def close(self) -> None:
        """Free the base model's memory, once its replies have ended."""
        if self._base is not None:
            served, self._base = self._base[1], None
            served.gate.close()
            while served.gate.running or served.gate.waiting:
                await asyncio.sleep(IDLE_EVERY)
            await asyncio.to_thread(served.character.voice.engine.close)


async def draw(
    desk: Desk, served: Served, scene: Scene, sampling: SamplingConfig, over: Callable[[], bool] = lambda: False
) -> str:
    """A whole reply, in turn with all others that the engine draws; "" where the scene does not fit its context.

    Raises Refusal where too many wait, ModelError where the model fails.
    """
    await served.gate.enter(1, PATIENCE)
    try:
        loop = asyncio.get_running_loop()
        seed = random.getrandbits(32)
        return await loop.run_in_executor(desk.rooms.threads, _whole, served, scene, sampling, seed, over)
    finally:
        served.gate.leave()


def _whole(served: Served, scene: Scene, sampling: SamplingConfig, seed: int, over: Callable[[], bool]) -> str:
    try:
        reply: Drawn = served.character.voice.answer(scene, sampling, seed, over=over)
    except ChatError:
        return ""
    for _ in reply:
        pass
    return reply.text.strip()


async def both(contestants: Contestants, match: Match, scene: Scene, over: Callable[[], bool]) -> tuple[str, str]:
    """What both sides answer, when both have; raises as `draw` does, and what loading raises."""
    served = [await contestants.served(side) for side in (match.one, match.other)]
    asked = []
    for side, one in zip((match.one, match.other), served):
        sampling = one.character.sampling
        if side.base:  # with the run's own settings: models are compared, not settings
            sampling = (await contestants.served(Side(side.run))).character.sampling
        sampling = sampling.changed(temperature=side.temperature, top_p=side.top_p)
        asked.append(draw(contestants.desk, one, _as_known(one, scene), sampling, over))
    first, second = await asyncio.gather(*asked)
    return first, second


def _as_known(served: Served, scene: Scene) -> Scene:
    """The scene with a speaker that the model knows: the same one, else its own persona."""
    try:
        speaker = served.persona(scene.speaker or "")
    except Refusal:
        speaker = served.character.persona
    return Scene(scene.turns, speaker=speaker, opening=scene.opening, narrator=scene.narrator, observer=scene.observer)


def pair_of(match: Match, scene: Scene, texts: tuple[str, str], swapped: bool, conversation: int | None) -> Pair:
    """Two replies as they are shown."""
    first, second = (Reply(side.entry, text) for side, text in zip((match.one, match.other), texts))
    pair = Pair(scene.turns, scene.speaker or "", first, second, conversation)
    return pair.swapped() if swapped else pair
